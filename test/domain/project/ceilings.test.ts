import { describe, expect, test } from 'vitest';
import {
  ceilingHit,
  CeilingsChange,
  NO_ROWS,
  ProjectCeilings,
  withinCeilings,
} from '../../../domain/project/ceilings.ts';

const ceilings = ProjectCeilings.parse({
  sms_daily_budget_micros: 100,
  sends_per_hour: 5,
  requests_per_minute: 60,
  sms_countries: ['UZ', 'KZ'],
  rows_queued: 10,
  rows_kept: 20,
  test_rows: 3,
});
const settings = {
  sms_daily_budget_micros: 100,
  sends_per_hour: 5,
  requests_per_minute: 60,
  sms_countries: ['UZ'],
};

describe('settings', () => {
  test('up to their ceilings are stored as they are', () => {
    const stored = { ...settings };
    expect(withinCeilings({ stored, settings }, stored, ceilings)).toEqual({ kind: 'accepted', stored });
  });

  test.each([
    ['sms_daily_budget_micros', 101, 100],
    ['sends_per_hour', 6, 5],
    ['requests_per_minute', 61, 60],
    ['sms_countries', ['UZ', 'RU'], ['UZ', 'KZ']],
  ])('%s above its ceiling is refused where it was asked for', (setting, value, ceiling) => {
    const change = { [setting]: value };
    expect(
      withinCeilings({ stored: change, settings: { ...settings, ...change } }, change, ceilings),
    ).toEqual({
      kind: 'refused',
      above: [{ setting, ceiling }],
    });
  });

  test('that nobody asked for, a default or one given back, come down to their ceiling', () => {
    const above = { ...settings, sms_daily_budget_micros: 101, sms_countries: ['RU', 'UZ'] };
    const lowered = { sms_daily_budget_micros: 100, sms_countries: ['UZ'] };
    for (const change of [{}, { locale: 'ru' }, { sms_daily_budget_micros: null }])
      expect(withinCeilings({ stored: { locale: 'ru' }, settings: above }, change, ceilings)).toEqual({
        kind: 'accepted',
        stored: { locale: 'ru', ...lowered },
      });
  });

  test('of a product that is not there are within every ceiling', () => {
    expect(withinCeilings({ stored: {}, settings: { requests_per_minute: 60 } }, {}, ceilings)).toEqual({
      kind: 'accepted',
      stored: {},
    });
  });
});

describe('rows', () => {
  const used = (more: object) => ({ ...NO_ROWS, ...more });

  test('are taken up to the ceiling, and not one more', () => {
    expect(ceilingHit('live', 2, used({ queued: 8, kept: 18 }), ceilings)).toBeNull();
    expect(ceilingHit('live', 3, used({ queued: 8 }), ceilings)).toEqual({
      ceiling: 'rows_queued',
      limit: 10,
      used: 8,
    });
    expect(ceilingHit('live', 3, used({ kept: 18 }), ceilings)).toMatchObject({ ceiling: 'rows_kept' });
  });

  test('of test keys are counted apart from the live ones', () => {
    expect(ceilingHit('test', 3, used({ queued: 1_000, kept: 1_000 }), ceilings)).toBeNull();
    expect(ceilingHit('test', 1, used({ test: 3 }), ceilings)).toMatchObject({
      ceiling: 'test_rows',
      used: 3,
    });
    expect(ceilingHit('live', 1, used({ test: 1_000 }), ceilings)).toBeNull();
  });
});

test('a change of ceilings names only what there is, and gives no default to what it leaves out', () => {
  expect(CeilingsChange.parse({ people: null, rows_kept: 0 })).toEqual({ people: null, rows_kept: 0 });
  expect(CeilingsChange.safeParse({ more: 1 }).success).toBe(false);
  expect(CeilingsChange.safeParse({ rows_kept: -1 }).success).toBe(false);
});
