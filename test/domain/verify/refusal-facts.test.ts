import { expect, test } from 'vitest';
import { refusalProblem } from '../../../apps/api/verify/otp-problems.ts';
import { problemBody } from '../../../apps/http/answer.ts';
import { endFacts, explainReason } from '../../../domain/reasons.ts';
import { blockOf, HALF_LIFE_SECONDS, type RiskScores } from '../../../domain/verify/fraud.ts';
import { parsePhone } from '../../../domain/shared/phone.ts';
import { refusalFacts } from '../../../domain/verify/refusal-facts.ts';
import { ProjectSettings } from '../../../domain/settings.ts';

const now = new Date('2026-11-28T18:46:00Z');
const phone = parsePhone('+998901114567');
const settings = ProjectSettings.parse({});
const unscored: RiskScores = { prefix: null, ip: null, device: null };
const unspent = { spend: { spentMicros: 0, strangerMicros: 0 }, askedBy: 'service' } as const;
const refused = (
  reason: Parameters<typeof refusalFacts>[0]['reason'],
  retryAfterSeconds: number | null = null,
) => ({
  reason,
  retryAfterSeconds,
});

test('a blocked prefix says for which numbers and until when: the moment before it is blocked, and then no more', () => {
  const risk = { ...unscored, prefix: { sent: 20, verified: 0, at: now } };
  const { until, ...facts } = refusalFacts(
    refused('prefix-blocked'),
    { phone, client: null },
    { ...unspent, settings, risk },
    now,
  );
  expect(facts).toEqual({
    prefix: '+998 90 111',
    factors: [{ factor: 'prefix', sent: 20, verified: 0, risk: 1 }],
  });
  expect(until).toEqual(new Date(now.getTime() + HALF_LIFE_SECONDS * 1_000));
  expect(blockOf(risk, false, new Date((until as Date).getTime() - 1_000))).not.toBeNull();
  expect(blockOf(risk, false, new Date((until as Date).getTime() + 1_000))).toBeNull();
  expect(explainReason('prefix-blocked', { until, ...facts }).meaning).toBe(
    'Paid messages to prefix +998 90 111 are blocked until 2026-11-28 19:46 UTC (anti-fraud): too few codes were confirmed.',
  );
});

test('only the project itself is told what a block was made of: with a publishable key anybody could read how many ask', () => {
  const score = { sent: 100, verified: 0, at: now };
  const risk = { prefix: score, ip: score, device: score };
  const told = (reason: 'prefix-blocked' | 'risk-blocked', askedBy: 'service' | 'stranger' | 'known') =>
    refusalFacts(refused(reason), { phone, client: null }, { ...unspent, askedBy, settings, risk }, now);
  for (const reason of ['prefix-blocked', 'risk-blocked'] as const) {
    expect(told(reason, 'service').factors?.map(({ factor }) => factor)).toEqual(['prefix', 'ip', 'device']);
    for (const askedBy of ['stranger', 'known'] as const)
      expect(told(reason, askedBy)).not.toHaveProperty('factors');
  }
  const problem = refusalProblem('risk-blocked', null, now, {}, told('risk-blocked', 'service'));
  expect(problemBody(problem)).toMatchObject({
    detail: expect.stringContaining('100 numbers from this IP address, 0 confirmed'),
    factors: [{ factor: 'prefix' }, { factor: 'ip' }, { factor: 'device' }],
  });
});

test('a spent budget ends with the day of UTC, at the intake and on a job that ended so', () => {
  const midnight = new Date('2026-11-29T00:00:00Z');
  const facts = refusalFacts(
    refused('budget-spent'),
    { phone, client: null },
    { ...unspent, settings, risk: unscored },
    now,
  );
  expect(facts.until).toEqual(midnight);
  expect(endFacts('budget-spent', now).until).toEqual(midnight);
  expect(endFacts('budget-spent', new Date('2026-11-28T00:00:00Z')).until).toEqual(midnight);
});

test('a spent budget names the setting that decided: the whole, or the share of publishable keys', () => {
  const budget = settings.sms_daily_budget_micros;
  const named = (askedBy: 'service' | 'stranger' | 'known', spentMicros: number, strangerMicros: number) =>
    refusalProblem(
      'budget-spent',
      null,
      now,
      {},
      refusalFacts(
        refused('budget-spent'),
        { phone, client: null },
        { settings, risk: unscored, spend: { spentMicros, strangerMicros }, askedBy },
        now,
      ),
    );
  const settingOf = (...args: Parameters<typeof named>) => problemBody(named(...args))['setting'];
  expect(settingOf('service', budget, 0)).toBe('sms_daily_budget_micros');
  expect(settingOf('service', budget, budget / 2)).toBe('sms_daily_budget_micros');
  expect(settingOf('stranger', budget / 2, budget / 2)).toBe('publishable_budget_percent');
  expect(settingOf('known', budget / 2, budget / 2)).toBe('publishable_budget_percent');
  expect(settingOf('stranger', budget, budget / 10)).toBe('sms_daily_budget_micros');
});

test('limits of strangers name no setting of the project: none of them decides', () => {
  for (const reason of ['publishable-limit', 'codes-unconfirmed', 'number-capped', 'no-channel'] as const)
    expect(explainReason(reason).setting).toBeNull();
});

test('a country that is not allowed is named, and an hourly limit with its number', () => {
  const none = { ...unspent, settings, risk: unscored };
  expect(refusalFacts(refused('country-not-allowed'), { phone, client: null }, none, now)).toEqual({
    country: 'UZ',
  });
  expect(refusalFacts(refused('too-many-sends', 60), { phone, client: null }, none, now)).toEqual({
    until: new Date('2026-11-28T18:47:00Z'),
    limit: settings.sends_per_hour,
  });
});
