import { expect, test } from 'vitest';
import { fromText, untilText } from '../../../domain/shared/reason.ts';

test('a time is told to the minute, rounded up, with its day and its zone', () => {
  for (const until of ['2026-01-15T10:00:00.001Z', '2026-01-15T10:00:59Z', '2026-01-15T10:01:00Z']) {
    expect(untilText(until)).toBe(' until 2026-01-15 10:01 UTC');
    expect(untilText(new Date(until))).toBe(' until 2026-01-15 10:01 UTC');
    expect(fromText(until)).toBe(' from 2026-01-15 10:01 UTC on');
  }
  expect(untilText('2026-12-31T23:59:30Z')).toBe(' until 2027-01-01 00:00 UTC');
});

test('a time that nobody knows is not told', () => {
  for (const none of [null, undefined]) {
    expect(untilText(none)).toBe('');
    expect(fromText(none)).toBe(' later');
  }
});
