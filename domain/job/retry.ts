import type { AttemptOutcome, Step } from './job.ts';
import type { EngineReason } from './reasons.ts';

/** One earlier attempt of a kind that makes one call to one provider. */
export interface PastTry {
  readonly n: number;
  /** Null while it is open: met again after a crash, it counts as unknown. */
  readonly outcome: AttemptOutcome | null;
  readonly reason: string | null;
  readonly closedAt: Date | null;
  /** How long the provider asked us to wait. */
  readonly retryAfterMs?: number | null;
}

export interface RetryRules {
  /** Of the whole job, the first included. A snooze is none. */
  readonly attemptsMax: number;
  /** Pause before each further try, in order; when they are used up the job fails. */
  readonly delaysMs: readonly number[];
  /** An unknown attempt may have happened; so many of them are made at the most, the first included. */
  readonly unknownMax: number;
  /** 0 to 1, drawn anew for each decision: spreads retries that failed together. */
  readonly jitter: number;
  /** Past it nobody wants it any more. */
  readonly deadlineAt: Date;
}

const JITTER_SHARE = 0.25;

/** The provider's word is taken as it is so often; who goes on being busy is asked less and less, up to every ten minutes. */
const SNOOZES_AS_ASKED = 3;
const SNOOZE_FIRST_MS = 2_000;
const SNOOZE_MAX_MS = 600_000;
/** A minute: a turn is drawn for by all who wait, and each try leaves a row. */
const OWN_WAIT_MAX_MS = 60_000;
/** Some two hours of being busy: then the job is given up, where its deadline has not come before. */
const SNOOZES_MAX = 20;

/** Send, wait or finish: what a wake-up means for a kind with one provider and no chain. */
export function decideRetry(past: readonly PastTry[], rules: RetryRules, now: Date): Step<null> {
  const last = past.at(-1);
  if (last?.outcome === 'completed') return { kind: 'finish', state: 'completed', reason: null };
  if (last?.outcome === 'rejected') return { kind: 'finish', state: 'rejected', reason: last.reason };
  if (now >= rules.deadlineAt)
    return { kind: 'finish', state: 'expired', reason: last?.reason ?? ('deadline' satisfies EngineReason) };
  if (!last) return { kind: 'send', send: null };
  return last.outcome === 'snoozed'
    ? afterSnooze(past, last, rules, now)
    : afterFailure(past, last, rules, now);
}

/**
 * The provider's own wait costs no try, and is bounded all the same: one that says so for ever is asked no more. A wait for a turn of
 * our own is no word of the provider's: it ends with the deadline only.
 */
function afterSnooze(past: readonly PastTry[], last: PastTry, rules: RetryRules, now: Date): Step<null> {
  const isOwn = last.reason === 'own-pace';
  const alike = past.filter(
    ({ outcome, reason }) => outcome === 'snoozed' && (reason === 'own-pace') === isOwn,
  ).length;
  if (!isOwn && alike >= SNOOZES_MAX) return { kind: 'finish', state: 'failed', reason: last.reason };
  const patienceMs =
    alike <= SNOOZES_AS_ASKED
      ? 0
      : Math.min(isOwn ? OWN_WAIT_MAX_MS : SNOOZE_MAX_MS, SNOOZE_FIRST_MS * 2 ** (alike - SNOOZES_AS_ASKED));
  const pauseMs = Math.max(last.retryAfterMs ?? 0, patienceMs);
  const until = new Date((last.closedAt ?? now).getTime() + pauseMs);
  return now < until ? waitWithin(until, 'provider-asked', rules) : { kind: 'send', send: null };
}

function afterFailure(past: readonly PastTry[], last: PastTry, rules: RetryRules, now: Date): Step<null> {
  const unknowns = past.filter(({ outcome }) => outcome === 'unknown' || outcome === null).length;
  const tries = past.filter(({ outcome }) => outcome === 'failed').length + unknowns;
  const delayMs = rules.delaysMs[tries - 1];
  if (delayMs === undefined || tries >= rules.attemptsMax || unknowns >= rules.unknownMax)
    return { kind: 'finish', state: 'failed', reason: last.reason ?? ('unknown' satisfies EngineReason) };
  // An open attempt was cut off by a crash: whoever finds it has already waited.
  if (last.closedAt === null) return { kind: 'send', send: null };
  const pauseMs = Math.max(delayMs * (1 + JITTER_SHARE * rules.jitter), last.retryAfterMs ?? 0);
  const until = new Date(last.closedAt.getTime() + pauseMs);
  return now < until ? waitWithin(until, 'back-off', rules) : { kind: 'send', send: null };
}

/** Nothing waits past the deadline: the wake-up at its end settles the job. */
function waitWithin(
  until: Date,
  because: 'back-off' | 'provider-asked',
  { deadlineAt }: RetryRules,
): Step<null> {
  return { kind: 'wait', until: until < deadlineAt ? until : deadlineAt, because };
}
