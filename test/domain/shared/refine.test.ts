import { expect, test } from 'vitest';
import { z } from 'zod';
import { isOurTime, onceValid } from '../../../domain/shared/refine.ts';

test('a time is ours from the first second of 1970 to the last of 9999', () => {
  for (const time of ['1970-01-01T00:00:00Z', '2026-01-15T10:00:00Z', '9999-12-31T23:59:59.999Z'])
    expect(isOurTime(new Date(time)), time).toBe(true);
  for (const time of ['1969-12-31T23:59:59.999Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59-01:00', 'x'])
    expect(isOurTime(new Date(time)), time).toBe(false);
});

test('a rule over several fields runs once each of them is what it should be, and not before', () => {
  const seen: unknown[] = [];
  const body = z.object({ from: z.coerce.date(), to: z.coerce.date() }).refine(
    (value) => {
      seen.push(value);
      return value.from <= value.to;
    },
    { ...onceValid, error: 'expected an order' },
  );
  expect(body.safeParse({ from: 'x', to: '2026-01-15' }).success).toBe(false);
  expect(seen).toEqual([]);
  expect(body.safeParse({ from: '2026-01-16', to: '2026-01-15' }).error?.issues[0]?.message).toBe(
    'expected an order',
  );
  expect(body.safeParse({ from: '2026-01-15', to: '2026-01-15' }).success).toBe(true);
});
