import { expect, test } from 'vitest';
import { daysAsked } from '../../../../domain/earn/stats/days.ts';

const TODAY = '2026-03-01';

test.each([
  [{}, '2026-01-31', '2026-03-01'],
  [{ to: '2026-01-30' }, '2026-01-01', '2026-01-30'],
  [{ from: '2026-02-27' }, '2026-02-27', '2026-03-01'],
  [{ from: '2026-02-28', to: '2026-02-28' }, '2026-02-28', '2026-02-28'],
  // 366 days, both edges among them.
  [{ from: '2025-03-01', to: '2026-03-01' }, '2025-03-01', '2026-03-01'],
])('%j are the days from %s to %s', (asked, from, to) => {
  expect(daysAsked(asked, TODAY)).toEqual({ ok: true, days: { from, to } });
});

test.each([
  [{ from: '2026-03-02' }, 'expected a day that is not after `to`, 2026-03-01'],
  [{ from: '2025-02-28' }, 'expected at most 366 days: 2025-03-01 or later'],
])('%j are told which day was expected', (asked, expected) => {
  expect(daysAsked(asked, TODAY)).toEqual({ ok: false, field: 'from', expected });
});
