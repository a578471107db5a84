import { expect, test } from 'vitest';
import { nextUtcDay, Time } from '../../../domain/shared/time.ts';

test('a budget’s day ends at midnight of UTC, whatever the hour, the leap day included', () => {
  for (const [now, next] of [
    ['2026-01-15T00:00:00.000Z', '2026-01-16'],
    ['2026-01-15T23:59:59.999Z', '2026-01-16'],
    ['2026-12-31T12:00:00.000Z', '2027-01-01'],
    ['2028-02-28T12:00:00.000Z', '2028-02-29'],
    // The day of Tashkent has begun by then.
    ['2026-01-15T04:00:00.000+05:00', '2026-01-15'],
  ] as const)
    expect(nextUtcDay(new Date(now)).toISOString()).toBe(`${next}T00:00:00.000Z`);
});

test('a time of ours is written in UTC with milliseconds, and in no other way', () => {
  expect(Time.safeParse(new Date(0).toISOString()).success).toBe(true);
  for (const time of [
    '2026-01-15T10:00:00Z',
    '2026-01-15T10:00:00.000+00:00',
    '2026-01-15',
    '2026-01-15T10:00:00.0000Z',
  ])
    expect(Time.safeParse(time).success, time).toBe(false);
});
