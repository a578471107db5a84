import { expect, test } from 'vitest';
import { explainReason, reasons } from '../../../domain/reasons.ts';

test('a refusal says until when, by which setting and for which numbers, where that is known', () => {
  const until = new Date('2026-11-28T19:45:30Z');
  expect(explainReason('prefix-blocked', { prefix: '+998 90 111', until }).meaning).toBe(
    'Paid messages to prefix +998 90 111 are blocked until 2026-11-28 19:46 UTC (anti-fraud): too few codes were confirmed.',
  );
  expect(explainReason('budget-spent', { limit: '20.00 USD', until })).toMatchObject({
    meaning:
      "The project's daily budget for paid messages (20.00 USD) is spent; it is renewed from 2026-11-28 19:46 UTC on.",
    setting: 'sms_daily_budget_micros',
    retry: 'later',
  });
  expect(explainReason('country-not-allowed', { country: 'RU' }).meaning).toContain('RU');
});

test('of every block by anti-fraud says how known users pass it', () => {
  for (const code of ['prefix-blocked', 'risk-blocked'] as const)
    expect(reasons[code].nextStep).toContain('client.trusted');
});
