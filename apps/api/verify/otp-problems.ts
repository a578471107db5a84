import { isRefusal, type RefusalReason } from '../../../domain/verify/reasons.ts';
import type { CheckResult } from '../../../domain/verify/check.ts';
import type { Blocked } from '../../../domain/verify/guarded-check.ts';
import type { SendAnswer } from '../../../domain/verify/intake.ts';
import type { Instant, ReasonFacts } from '../../../domain/shared/reason.ts';
import { explainReason } from '../../../domain/reasons.ts';
import { Problem } from '../../http/problem.ts';

/** Exhaustive on purpose: a new refusal does not compile until it has a status. Its words are in the catalogue. */
const statusOf: Record<RefusalReason, 404 | 409 | 422 | 429> = {
  'too-soon': 429,
  'too-many-sends': 429,
  'publishable-limit': 429,
  'codes-unconfirmed': 429,
  'destination-locked': 429,
  'no-channel': 422,
  'country-not-allowed': 422,
  'budget-spent': 422,
  'prefix-blocked': 422,
  'risk-blocked': 422,
  'number-capped': 429,
  'code-too-short': 422,
  'totp-for-money': 422,
  'other-payment': 409,
  'unknown-recipient': 404,
};

export function refusalProblem(
  reason: string,
  retryAfterSeconds: number | null,
  now: Date,
  headers: Record<string, string> = {},
  facts: ReasonFacts = {},
): Problem {
  if (!isRefusal(reason)) throw new Error(`not a refusal of a send: ${reason}`);
  const seconds = retryAfterSeconds ?? secondsUntil(facts.until, now);
  const retryAfter = seconds === null ? {} : { 'Retry-After': String(seconds) };
  return new Problem(statusOf[reason], reason, explainReason(reason, facts).meaning, {
    headers: { ...headers, ...retryAfter },
    extra: {
      ...(facts.setting === undefined ? {} : { setting: facts.setting }),
      ...(facts.factors === undefined ? {} : { factors: facts.factors }),
    },
  });
}

export const unknownRecipient = () =>
  new Problem(statusOf['unknown-recipient'], 'unknown-recipient', explainReason('unknown-recipient').meaning);

/** Null where it is not known, or over already, as in an answer that is replayed. */
function secondsUntil(until: Instant | null | undefined, now: Date): number | null {
  if (!until) return null;
  const seconds = Math.ceil((new Date(until).getTime() - now.getTime()) / 1_000);
  return seconds > 0 ? seconds : null;
}

export function notAccepted(
  answer: Exclude<SendAnswer, { kind: 'accepted' | 'closed' }>,
  headers: Record<string, string>,
  now: Date,
): Problem {
  if (answer.kind === 'refused')
    return refusalProblem(answer.reason, answer.retryAfterSeconds, now, headers, answer.facts);
  return new Problem(422, 'idempotency-key-reused', 'This Idempotency-Key was used with another body.', {
    errors: [{ pointer: 'Idempotency-Key', detail: 'expected a new key for a new request' }],
  });
}

export function checkProblem(result: Exclude<CheckResult, { kind: 'approved' }> | Blocked): Problem {
  switch (result.kind) {
    case 'blocked':
      return new Problem(429, 'too-many-failures', 'Too many wrong codes. Try again later.', {
        headers: { 'Retry-After': String(result.retryAfterSeconds) },
      });
    case 'incorrect':
      return new Problem(
        422,
        'incorrect-code',
        'The code is wrong.',
        result.remaining === null ? {} : { extra: { remaining: result.remaining } },
      );
    case 'closed':
      return new Problem(410, 'verification-closed', explainReason(result.reason).meaning, {
        extra: { reason: result.reason },
      });
    case 'locked':
      return new Problem(429, 'destination-locked', explainReason('destination-locked').meaning);
    case 'unknown':
      return new Problem(404, 'not-found', 'The project has no such verification.');
  }
}
