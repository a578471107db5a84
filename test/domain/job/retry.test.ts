import { expect, test } from 'vitest';
import { decideRetry, type PastTry } from '../../../domain/job/retry.ts';

const now = new Date('2026-01-15T10:00:00Z');
const ms = (offset: number) => new Date(now.getTime() + offset);
const rules = { delaysMs: [2_000, 4_000], unknownMax: 2, jitter: 0, deadlineAt: ms(600_000) };
const failed = (retryAfterMs: number | null): PastTry[] => [
  { n: 1, outcome: 'failed', reason: 'provider-unavailable', closedAt: now, retryAfterMs },
];

test('a fault is tried again after its back-off, and never sooner than the provider asked', () => {
  expect(decideRetry(failed(null), rules, now)).toMatchObject({ step: 'wait', until: ms(2_000) });
  expect(decideRetry(failed(500), rules, now)).toMatchObject({ step: 'wait', until: ms(2_000) });
  expect(decideRetry(failed(60_000), rules, now)).toMatchObject({ step: 'wait', until: ms(60_000) });
  expect(decideRetry(failed(60_000), rules, ms(59_999))).toMatchObject({ step: 'wait', until: ms(60_000) });
  expect(decideRetry(failed(60_000), rules, ms(60_000))).toMatchObject({ step: 'send' });
});

test('what it asks for never outlasts the deadline', () => {
  expect(decideRetry(failed(3_600_000), rules, now)).toMatchObject({ step: 'wait', until: rules.deadlineAt });
});
