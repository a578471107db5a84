import { expect, test } from 'vitest';
import { decideRetry, type PastTry } from '../../../domain/job/retry.ts';

const now = new Date('2026-01-15T10:00:00Z');
const ms = (offset: number) => new Date(now.getTime() + offset);
const rules = { attemptsMax: 3, delaysMs: [2_000, 4_000], unknownMax: 2, jitter: 0, deadlineAt: ms(600_000) };
const failed = (retryAfterMs: number | null): PastTry[] => [
  { n: 1, outcome: 'failed', reason: 'provider-unavailable', closedAt: now, retryAfterMs },
];

test('a fault is tried again after its back-off, and never sooner than the provider asked', () => {
  expect(decideRetry(failed(null), rules, now)).toMatchObject({ kind: 'wait', until: ms(2_000) });
  expect(decideRetry(failed(500), rules, now)).toMatchObject({ kind: 'wait', until: ms(2_000) });
  expect(decideRetry(failed(60_000), rules, now)).toMatchObject({ kind: 'wait', until: ms(60_000) });
  expect(decideRetry(failed(60_000), rules, ms(59_999))).toMatchObject({ kind: 'wait', until: ms(60_000) });
  expect(decideRetry(failed(60_000), rules, ms(60_000))).toMatchObject({ kind: 'send' });
});

test('no more attempts are made than the kind may have, however many pauses it names; a snooze is none', () => {
  const past: PastTry[] = [
    { n: 1, outcome: 'snoozed', reason: 'own-pace', closedAt: now },
    { n: 2, outcome: 'unknown', reason: 'timeout', closedAt: now },
    { n: 3, outcome: 'failed', reason: 'network', closedAt: now },
  ];
  expect(decideRetry(past, { ...rules, attemptsMax: 3 }, now)).toMatchObject({ kind: 'wait' });
  expect(decideRetry(past, { ...rules, attemptsMax: 2 }, now)).toEqual({
    kind: 'finish',
    state: 'failed',
    reason: 'network',
  });
});

test('what it asks for never outlasts the deadline', () => {
  expect(decideRetry(failed(3_600_000), rules, now)).toMatchObject({ kind: 'wait', until: rules.deadlineAt });
});

test('a provider that is busy for ever is asked less and less, and given up after twenty times', () => {
  const day = { ...rules, deadlineAt: ms(86_400_000) };
  const past: PastTry[] = [];
  const waitsMs: number[] = [];
  const snooze = (at: Date) => {
    past.push({
      n: past.length + 1,
      outcome: 'snoozed',
      reason: 'provider-busy',
      closedAt: at,
      retryAfterMs: 5_000,
    });
    return decideRetry(past, day, at);
  };
  let [at, step] = [now, snooze(now)];
  while (step.kind === 'wait') {
    waitsMs.push(step.until.getTime() - at.getTime());
    at = step.until;
    step = snooze(at);
  }
  expect(step).toEqual({ kind: 'finish', state: 'failed', reason: 'provider-busy' });
  expect(Math.min(...waitsMs)).toBe(5_000);
  expect(Math.max(...waitsMs)).toBe(600_000);
  expect(past).toHaveLength(20);
  // Twenty minutes of it are a dozen calls, and not two hundred.
  expect(past.filter(({ closedAt }) => Number(closedAt) < Number(ms(1_200_000))).length).toBeLessThan(15);
});

test('a wait that the provider asked for is kept to the millisecond while it is not repeated for ever', () => {
  const past: PastTry[] = [1, 2, 3].map((n) => ({
    n,
    outcome: 'snoozed',
    reason: 'provider-busy',
    closedAt: now,
    retryAfterMs: 700,
  }));
  expect(decideRetry(past, rules, now)).toMatchObject({ kind: 'wait', until: ms(700) });
});

test('a wait for our own turn counts toward no limit: it ends with the deadline, and the provider’s own count goes on', () => {
  const day = { ...rules, deadlineAt: ms(86_400_000) };
  const snoozed = (n: number, reason: 'own-pace' | 'provider-busy', closedAt: Date): PastTry => ({
    n,
    outcome: 'snoozed',
    reason,
    closedAt,
    retryAfterMs: 1_000,
  });
  const past: PastTry[] = [];
  for (let at = now; at < day.deadlineAt;) {
    past.push(snoozed(past.length + 1, 'own-pace', at));
    const step = decideRetry(past, day, at);
    if (step.kind !== 'wait') throw new Error(step.kind);
    expect(step.until.getTime() - at.getTime()).toBeLessThanOrEqual(60_000);
    at = step.until;
  }
  expect(past.length).toBeGreaterThan(1_000);
  expect(decideRetry(past, day, day.deadlineAt)).toEqual({
    kind: 'finish',
    state: 'expired',
    reason: 'own-pace',
  });
  // Of the provider's words this is the first: it is waited for as asked, after however many turns of ours.
  const asked = [...past, snoozed(past.length + 1, 'provider-busy', now)];
  expect(decideRetry(asked, day, now)).toMatchObject({ kind: 'wait', until: ms(1_000) });
});
