import type { Check, Checks } from './checks.ts';
import type { CheckResult } from './check.ts';
import type { FailedAttemptLimiter, Guesser } from '../shared/failed-attempt-limiter.ts';

export interface GuardedChecks {
  readonly checks: Pick<Checks, 'check'>;
  readonly failures: FailedAttemptLimiter;
}

/** Nothing was checked: whoever guesses has guessed wrong too often. */
export interface Blocked {
  readonly kind: 'blocked';
  readonly retryAfterSeconds: number;
}

/** Checks a code for somebody who may be guessing; what is not approved counts against them. */
export async function checkGuarded(
  { checks, failures }: GuardedChecks,
  guesser: Guesser,
  check: Check,
): Promise<CheckResult | Blocked> {
  const retryAfterSeconds = await failures.enter(guesser);
  if (retryAfterSeconds !== null) return { kind: 'blocked', retryAfterSeconds };
  try {
    const result = await checks.check(check);
    if (result.kind === 'approved') failures.forgive(guesser);
    return result;
  } catch (error) {
    // Nothing was checked.
    failures.forgive(guesser);
    throw error;
  }
}

/** For whoever has not shown that a code is theirs to check: counted as a guess, and no code is touched by it. */
export const nothingToCheck: GuardedChecks['checks'] = { check: async () => ({ kind: 'unknown' }) };
