import type { RefusalReason } from '../../../domain/job/decision.ts';
import type { CheckResult, ClosedReason } from '../../../domain/otp/check.ts';
import type { Blocked } from '../../../domain/otp/guarded-check.ts';
import type { SendAnswer } from '../../../domain/otp/intake.ts';
import { Problem } from '../../http/problem.ts';

const lockedWords =
  'This recipient is locked after too many wrong codes. Its person opens it by approving a push on a bound device, or, at a service that knows them, in the app or by /unlock to the bot; else, after a hundred in a row, it opens by itself within a day.';

/** Exhaustive on purpose: a new refusal does not compile until it has a status and words. */
const refusals: Record<RefusalReason, readonly [status: number, detail: string]> = {
  'too-soon': [429, 'A code was just sent to this recipient. Ask again after the time in Retry-After.'],
  'too-many-sends': [429, 'This recipient was sent too many codes in an hour.'],
  'destination-locked': [429, lockedWords],
  'no-channel': [422, 'No channel that was asked for can reach this recipient.'],
  'country-not-allowed': [422, 'The project does not send paid messages to this country.'],
  'budget-spent': [422, "The project's budget for paid messages is spent for today."],
  'prefix-blocked': [
    422,
    'Codes to numbers like this one are not verified; SMS to them is blocked for a while.',
  ],
  'number-capped': [422, 'This number was sent too many paid messages in an hour.'],
  'code-too-short': [
    422,
    'Codes of fewer than six digits need the project setting allow_short_codes, and never serve login or money.',
  ],
  'totp-for-money': [
    422,
    'A code of a device shows neither amount nor payee: ask for another channel where money moves.',
  ],
  'other-payment': [
    409,
    'A code lives for another payment of this recipient and purpose. Cancel it first, or name another purpose.',
  ],
  'unknown-recipient': [404, 'The project has no such recipient.'],
};

export function refusalProblem(
  reason: RefusalReason,
  retryAfterSeconds: number | null,
  headers: Record<string, string> = {},
): Problem {
  const [status, detail] = refusals[reason];
  const retryAfter = retryAfterSeconds === null ? {} : { 'Retry-After': String(retryAfterSeconds) };
  return new Problem(status, reason, detail, { headers: { ...headers, ...retryAfter } });
}

export function notAccepted(
  answer: Exclude<SendAnswer, { answer: 'accepted' | 'closed' }>,
  headers: Record<string, string>,
): Problem {
  if (answer.answer === 'refused') return refusalProblem(answer.reason, answer.retryAfterSeconds, headers);
  return new Problem(422, 'idempotency-key-reused', 'This Idempotency-Key was used with another body.', {
    errors: [{ pointer: 'Idempotency-Key', detail: 'expected a new key for a new request' }],
  });
}

const closedWords: Record<ClosedReason, string> = {
  used: 'This code was used already.',
  denied: 'The person said no to it on their device.',
  cancelled: 'This verification was cancelled.',
  expired: 'This code has expired.',
  'too-many-checks': 'This verification has used up its checks.',
};

export function checkProblem(result: Exclude<CheckResult, { result: 'approved' }> | Blocked): Problem {
  switch (result.result) {
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
      return new Problem(410, 'verification-closed', closedWords[result.reason], {
        extra: { reason: result.reason },
      });
    case 'locked':
      return new Problem(429, 'destination-locked', lockedWords);
    case 'unknown':
      return new Problem(404, 'not-found', 'The project has no such verification.');
  }
}
