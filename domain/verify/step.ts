import type { AttemptOutcome, FinalState, Step } from '../job/job.ts';
import { type Channel, channelRules, OWN_APP_PROVIDER, SILENT_CHANNEL } from './channel.ts';
import { otpSend } from './job.ts';
import type { DeliveryReport } from './port.ts';
import { stateAt, type Verification } from './verification.ts';
import type { CodeEndReason } from './reasons.ts';

/** One earlier attempt of this job, as Postgres has it. */
export interface PastAttempt {
  readonly n: number;
  readonly channel: Channel;
  /** Whose it was, as on the attempt. */
  readonly provider: string;
  /** Null while it is open: met again after a crash, it counts as unknown. */
  readonly outcome: AttemptOutcome | null;
  readonly reason: string | null;
  readonly closedAt: Date | null;
  /** What the provider's callbacks said, or null. */
  readonly delivery: DeliveryReport['status'] | null;
  /** How long the provider asked us to wait. */
  readonly retryAfterMs?: number | null;
}

export interface StepRules {
  /** Channels that can't be used now: no address, no provider, an open breaker, a budget that is spent. */
  readonly unavailable: ReadonlyMap<Channel, CodeEndReason>;
  /** The project lets an unconfirmed push lead on to a paid channel. */
  readonly pushUnconfirmedBuysSms: boolean;
  /** 0 to 1, drawn anew for each decision: spreads retries that failed together. */
  readonly jitter: number;
  /** The row's time has come: the pause before a try is over, or staff have cut it short. A confirmation is awaited all the same. */
  readonly isDue: boolean;
}

/** Tries on one channel while another one is left: a code that dies in minutes moves on rather than wait. */
const TRIES_WITH_NEXT = 2;
/** A provider that keeps asking us to wait is as good as unavailable. */
const SNOOZES_MAX = 5;
/** Longer than this is not waited for while another channel is left. */
const SNOOZE_WITH_NEXT_MAX_MS = 3_000;
const JITTER_SHARE = 0.25;

type Standing =
  | { readonly kind: 'send' }
  | { readonly kind: 'confirmed' }
  | {
      readonly kind: 'waiting';
      readonly until: Date;
      readonly because: 'back-off' | 'confirmation' | 'provider-asked';
    }
  | {
      readonly kind: 'over';
      readonly how: 'rejected' | 'attempts-used-up' | 'unconfirmed' | 'skipped';
      readonly reason: string;
    };

/** Send on a channel, wait until a time, or finish: what a wake-up of this job means now. */
export function decideStep(
  verification: Verification,
  attempts: readonly PastAttempt[],
  rules: StepRules,
  now: Date,
): Step<{ readonly channel: Channel }> {
  const settled = settledBy(verification, attempts, now);
  if (settled) return settled;
  // Whatever became of the provider's answer, or of the worker that waited for it: the message is there.
  const delivered = attempts.find(({ delivery }) => delivery === 'delivered' || delivery === 'read');
  if (delivered) return finish('completed', confirmedBy(delivered.channel));

  const chain = verification.channels.filter((channel) => channel !== SILENT_CHANNEL);
  if (chain.length === 0) return finish('completed', 'nothing-to-send');
  const overs: Extract<Standing, { kind: 'over' }>[] = [];
  for (const [index, channel] of chain.entries()) {
    const blocked = blockedBySilence(channel, overs, attempts, rules);
    const hasNext = chain.slice(index + 1).some((next) => !rules.unavailable.has(next));
    const standing = blocked ?? standingOf(channel, attempts, rules, hasNext, now);
    if (standing.kind === 'send')
      return mayTry(attempts) ? { kind: 'send', send: { channel } } : finish('failed', 'attempts-used-up');
    if (standing.kind === 'confirmed') return finish('completed', confirmedBy(channel));
    if (standing.kind === 'waiting') return waitWithin(standing, verification);
    overs.push(standing);
  }
  return endOfChain(overs);
}

/** More than the longest chain can use: a bug ends here and not in a bill. A snooze costs no attempt. */
const mayTry = (attempts: readonly PastAttempt[]) =>
  attempts.filter(({ outcome }) => outcome !== 'snoozed').length < otpSend.attemptsMax;

/** Nothing is sent after approval, cancellation or the code's end; a test key's code is sent to nobody. */
function settledBy(
  verification: Verification,
  attempts: readonly PastAttempt[],
  now: Date,
): Step<never> | null {
  switch (stateAt(verification, now)) {
    case 'approved':
      return finish('completed', 'approved');
    case 'denied':
      return finish('cancelled', 'denied');
    case 'cancelled':
      return finish('cancelled', 'verification-cancelled');
    case 'max-checks-reached':
      return finish('cancelled', 'max-checks-reached');
    case 'expired':
      return attempts.some((attempt) => attempt.outcome === 'completed')
        ? finish('completed', 'unconfirmed')
        : finish('expired', 'deadline');
    case 'live':
      return verification.mode === 'test' ? finish('completed', 'test-mode') : null;
  }
}

/** Where one channel stands after the attempts made on it. */
function standingOf(
  channel: Channel,
  attempts: readonly PastAttempt[],
  rules: StepRules,
  hasNext: boolean,
  now: Date,
): Standing {
  const mine = attempts.filter((attempt) => attempt.channel === channel);
  const last = mine.at(-1);
  const unavailable = rules.unavailable.get(channel);
  if (last?.outcome === 'completed') return standingOfTaken(last, now);
  if (last?.outcome === 'rejected')
    return { kind: 'over', how: 'rejected', reason: last.reason ?? 'rejected' };
  if (unavailable !== undefined) return { kind: 'over', how: 'skipped', reason: unavailable };
  if (!last) return { kind: 'send' };
  // The row's time is that of the last attempt: it ends no pause that another channel's provider asked for before.
  const ownRules = { ...rules, isDue: rules.isDue && last === attempts.at(-1) };
  return last.outcome === 'snoozed'
    ? standingOfSnoozed(mine, last, ownRules, hasNext, now)
    : standingOfFailed(mine, last, ownRules, hasNext, now);
}

/** The provider took it: now it is confirmed, awaited, refused after all, or silent for too long. */
function standingOfTaken(last: PastAttempt, now: Date): Standing {
  const { confirmedBy, confirmWithinSeconds } = channelRules[last.channel];
  if (last.delivery === 'failed' || last.delivery === 'expired')
    return { kind: 'over', how: 'rejected', reason: `delivery-${last.delivery}` };
  if (confirmedBy === 'answer') return { kind: 'confirmed' };

  const until = new Date((last.closedAt ?? now).getTime() + confirmWithinSeconds * 1_000);
  return now < until
    ? { kind: 'waiting', until, because: 'confirmation' }
    : { kind: 'over', how: 'unconfirmed', reason: unconfirmedOn(last.channel) };
}

function standingOfSnoozed(
  mine: readonly PastAttempt[],
  last: PastAttempt,
  rules: StepRules,
  hasNext: boolean,
  now: Date,
): Standing {
  // A wait for a turn of our own counts as none where nothing else could carry the code, whose life bounds it. With a next channel
  // it counts: the code must not wait for a crowded bot until it expires, while an SMS would go out at once.
  const snoozes = mine.filter(
    ({ outcome, reason }) => outcome === 'snoozed' && (hasNext || reason !== 'own-pace'),
  ).length;
  const retryAfterMs = last.retryAfterMs ?? 0;
  if (snoozes > SNOOZES_MAX || (hasNext && retryAfterMs > SNOOZE_WITH_NEXT_MAX_MS))
    return { kind: 'over', how: 'attempts-used-up', reason: 'provider-busy' };
  const until = new Date((last.closedAt ?? now).getTime() + retryAfterMs);
  return now < until && !rules.isDue
    ? { kind: 'waiting', until, because: 'provider-asked' }
    : { kind: 'send' };
}

function standingOfFailed(
  mine: readonly PastAttempt[],
  last: PastAttempt,
  rules: StepRules,
  hasNext: boolean,
  now: Date,
): Standing {
  const unknowns = mine.filter((attempt) => attempt.outcome === 'unknown' || attempt.outcome === null).length;
  const tries = mine.filter((attempt) => attempt.outcome === 'failed').length + unknowns;
  const askedMs = last.retryAfterMs ?? 0;
  const isTooLate = hasNext && askedMs > SNOOZE_WITH_NEXT_MAX_MS;
  const delayMs = otpSend.delaysMs[tries - 1];
  const hasTried = delayMs === undefined || (hasNext && tries >= TRIES_WITH_NEXT);
  if (isTooLate || hasTried || unknowns >= otpSend.unknownMax)
    return { kind: 'over', how: 'attempts-used-up', reason: last.reason ?? 'unknown' };

  // An open attempt was cut off by a crash: whoever finds it has already waited.
  if (last.closedAt === null) return { kind: 'send' };
  const backOffMs = delayMs * (1 + JITTER_SHARE * rules.jitter);
  const until = new Date(last.closedAt.getTime() + Math.max(backOffMs, askedMs));
  return now < until && !rules.isDue ? { kind: 'waiting', until, because: 'back-off' } : { kind: 'send' };
}

/**
 * A foreign push token never confirms, so its silence says nothing. By itself it buys no paid message, unless the project
 * says so; a later channel that definitely failed does. Navbat's own app does confirm, so that its silence leads on.
 */
function blockedBySilence(
  channel: Channel,
  overs: readonly Extract<Standing, { kind: 'over' }>[],
  attempts: readonly PastAttempt[],
  rules: StepRules,
): Standing | null {
  const onlySilence =
    overs.some(({ how }) => how === 'unconfirmed') &&
    overs.every(({ how }) => how === 'unconfirmed' || how === 'skipped');
  const untried = attempts.every((attempt) => attempt.channel !== channel);
  return onlySilence &&
    untried &&
    channelRules[channel].paid &&
    !rules.pushUnconfirmedBuysSms &&
    isPushSilence(attempts)
    ? { kind: 'over', how: 'skipped', reason: 'push-silence-buys-nothing' }
    : null;
}

/** A paid channel that was promised a callback and got none did fail. */
const isPushSilence = (attempts: readonly PastAttempt[]) =>
  attempts
    .filter((attempt) => attempt.outcome === 'completed')
    .every(({ channel, provider }) => channel === 'push' && provider !== OWN_APP_PROVIDER);

/** Nothing waits past the code's life: the wake-up at its end settles the job. */
function waitWithin(
  standing: Extract<Standing, { kind: 'waiting' }>,
  verification: Verification,
): Step<never> {
  const until = standing.until < verification.expiresAt ? standing.until : verification.expiresAt;
  return { kind: 'wait', until, because: standing.because };
}

function endOfChain(overs: readonly Extract<Standing, { kind: 'over' }>[]): Step<never> {
  const last = overs.findLast(({ how }) => how !== 'skipped') ?? overs.at(-1);
  if (overs.some(({ how }) => how === 'unconfirmed')) return finish('completed', 'unconfirmed');
  if (!last) return finish('rejected', 'no-channel');
  return {
    kind: 'finish',
    state: last.how === 'attempts-used-up' ? 'failed' : 'rejected',
    reason: last.reason,
  };
}

/** Nothing is sent on the silent channel, so that no attempt is ever made on it. */
type Sending = Exclude<Channel, typeof SILENT_CHANNEL>;
const confirmedBy = (channel: Channel): CodeEndReason => `confirmed-by-${channel as Sending}`;
const unconfirmedOn = (channel: Channel): CodeEndReason => `${channel as Sending}-unconfirmed`;

const finish = (state: FinalState, reason: CodeEndReason) => ({ kind: 'finish', state, reason }) as const;
