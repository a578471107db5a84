import { describe, expect, test } from 'vitest';
import type { PaidAsker } from '../../../domain/verify/asker.ts';
import {
  chainMicros,
  isBudgetSpent,
  isHalfSpent,
  isNumberCapped,
  type PaidCount,
  withSpend,
  dayBudgetOf,
} from '../../../domain/verify/paid-limits.ts';
import { ProjectSettings } from '../../../domain/settings.ts';
import { channels } from '../../../domain/verify/channel.ts';

const had = (projectId: string, askedBy: PaidAsker, messages: number): PaidCount => ({
  projectId,
  askedBy,
  messages,
});
const capped = (askedBy: PaidAsker, counts: PaidCount[], isInGoodStanding?: boolean) =>
  isNumberCapped(counts, { projectId: 'p', askedBy }, isInGoodStanding);

describe('paid messages to one number in an hour', () => {
  test('are 15 over all projects and askers', () => {
    const others = (count: number) => [had('a', 'service', 7), had('b', 'service', count - 7)];
    for (const asker of ['service', 'known', 'stranger'] as const) {
      expect(capped(asker, others(14)), asker).toBe(false);
      expect(capped(asker, others(15)), asker).toBe(true);
    }
  });

  test('are 8 for the services of one project, its known askers counted, its strangers not', () => {
    expect(capped('service', [had('p', 'service', 7)])).toBe(false);
    expect(capped('service', [had('p', 'service', 8)])).toBe(true);
    expect(capped('service', [had('p', 'service', 4), had('p', 'known', 4)])).toBe(true);
    expect(capped('service', [had('p', 'service', 7), had('p', 'stranger', 5)])).toBe(false);
  });

  test('are 5 for the strangers of one project, whatever its services sent', () => {
    expect(capped('stranger', [had('p', 'stranger', 4), had('p', 'service', 8)])).toBe(false);
    expect(capped('stranger', [had('p', 'stranger', 5)])).toBe(true);
  });

  test('are 8 for the strangers of all projects, and 6 for one of no good standing', () => {
    const strangers = (count: number) => [had('a', 'stranger', 4), had('b', 'stranger', count - 4)];
    expect(capped('stranger', strangers(7))).toBe(false);
    expect(capped('stranger', strangers(8))).toBe(true);
    expect(capped('stranger', strangers(5), false)).toBe(false);
    expect(capped('stranger', strangers(6), false)).toBe(true);
  });

  test('that strangers used up keep nobody out whose codes were right from there', () => {
    expect(capped('known', [had('p', 'stranger', 5), had('a', 'stranger', 3)])).toBe(false);
    expect(capped('known', [had('p', 'known', 5)])).toBe(true);
    expect(capped('known', [had('p', 'service', 8)])).toBe(true);
  });
});

describe('a day’s budget', () => {
  const budget = { budgetMicros: 100, strangerBudgetMicros: 50 };
  const spend = (spentMicros: number, strangerMicros: number) => ({ spentMicros, strangerMicros });

  test('is spent to the last micro, and not one beyond', () => {
    expect(isBudgetSpent(spend(90, 0), budget, 'service', 10)).toBe(false);
    expect(isBudgetSpent(spend(90, 0), budget, 'service', 11)).toBe(true);
  });

  test('holds back from strangers, known ones too, what services may need', () => {
    for (const asker of ['stranger', 'known'] as const) {
      expect(isBudgetSpent(spend(40, 40), budget, asker, 10), asker).toBe(false);
      expect(isBudgetSpent(spend(40, 40), budget, asker, 11), asker).toBe(true);
    }
    expect(isBudgetSpent(spend(50, 50), budget, 'service', 50)).toBe(false);
  });

  test('counts what strangers spend in both, and what a service spends in one', () => {
    expect(withSpend(spend(1, 1), 5, 'service')).toEqual(spend(6, 1));
    for (const asker of ['stranger', 'known'] as const)
      expect(withSpend(spend(1, 1), 5, asker)).toEqual(spend(6, 6));
  });

  test('is shared by the percentage of the project, rounded down', () => {
    const settings = (sms_daily_budget_micros: number, publishable_budget_percent: number) =>
      dayBudgetOf(ProjectSettings.parse({ sms_daily_budget_micros, publishable_budget_percent }));
    expect(settings(101, 50)).toEqual({ budgetMicros: 101, strangerBudgetMicros: 50 });
    expect(settings(100, 0).strangerBudgetMicros).toBe(0);
    expect(settings(100, 100).strangerBudgetMicros).toBe(100);
  });

  test('is told of at its half, and one of nothing is not', () => {
    expect(isHalfSpent(spend(49, 0), budget)).toBe(false);
    expect(isHalfSpent(spend(50, 0), budget)).toBe(true);
    expect(isHalfSpent(spend(0, 0), { budgetMicros: 0, strangerBudgetMicros: 0 })).toBe(false);
  });
});

test('a chain sets aside what each of its channels may take, and for an SMS what each provider of its route asks', () => {
  expect(chainMicros([], 400_000)).toBe(0);
  const each = channels.map((channel) => chainMicros([channel], 400_000));
  expect(chainMicros(channels, 400_000)).toBe(each.reduce((sum, micros) => sum + micros, 0));
  expect(chainMicros(['push', 'telegram', 'totp'], 400_000)).toBe(0);
  expect(chainMicros(['sms'], 400_000)).toBe(400_000);
  expect(chainMicros(['sms'], null)).toBe(0);
});
