import type { AttemptOutcome, FinalState, Step } from '../job/job.ts';
import { type Channel, channelRules, OWN_APP_PROVIDER, SILENT_CHANNEL } from './channel.ts';
import { type SmsChoice, type SmsProvider, type SmsProviderRules, smsProviderRules } from './sms-provider.ts';
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
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  /** What the provider's callbacks said, or null. */
  readonly delivery: DeliveryReport['status'] | null;
  /** Why this provider, of several that carry SMS. */
  readonly chosen?: SmsChoice | undefined;
  /** How long the provider asked us to wait. */
  readonly retryAfterMs?: number | null;
}

/** One way of the chain: a channel, or the SMS of one provider. */
export type Leg = Exclude<Channel, 'sms' | typeof SILENT_CHANNEL> | SmsProvider;

export interface StepRules {
  /** The providers of the channel `sms`, in the order in which they are tried. Those that were tried come first, as they were tried. */
  readonly smsOrder: readonly SmsProvider[];
  /** Legs that can't be used now: no address, no provider, an open breaker, a budget that is spent. */
  readonly unavailable: ReadonlyMap<Leg, CodeEndReason>;
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
      readonly how: 'rejected' | 'attempts-used-up' | 'unconfirmed' | 'unknown' | 'skipped';
      readonly reason: string;
    };

/** What to send by, and why the leg before it did not do; null for the first. */
export interface NextSend {
  readonly leg: Leg;
  readonly after: string | null;
}

/** Send by a leg, wait until a time, or finish: what a wake-up of this job means now. */
export function decideStep(
  verification: Verification,
  attempts: readonly PastAttempt[],
  rules: StepRules,
  now: Date,
): Step<NextSend> {
  const settled = settledBy(verification, attempts, now);
  if (settled) return settled;
  // Whatever became of the provider's answer, or of the worker that waited for it: the message is there.
  const delivered = attempts.find(({ delivery }) => delivery === 'delivered' || delivery === 'read');
  if (delivered) return finish('completed', confirmedBy(legOf(delivered)));

  const chain = legsOf(verification.channels, attempts, rules);
  if (chain.length === 0)
    return verification.channels.includes('sms')
      ? finish('rejected', 'no-provider')
      : finish('completed', 'nothing-to-send');
  const overs: Extract<Standing, { kind: 'over' }>[] = [];
  for (const [index, leg] of chain.entries()) {
    const blocked = blockedBySilence(leg, overs, attempts, rules);
    const hasNext = chain.slice(index + 1).some((next) => !rules.unavailable.has(next));
    const standing = blocked ?? standingOf(leg, attempts, rules, hasNext, now);
    if (standing.kind === 'send')
      return mayTry(attempts)
        ? { kind: 'send', send: { leg, after: overs.at(-1)?.reason ?? null } }
        : finish('failed', 'attempts-used-up');
    if (standing.kind === 'confirmed') return finish('completed', confirmedBy(leg));
    if (standing.kind === 'waiting') return waitWithin(standing, verification);
    overs.push(standing);
  }
  return endOfChain(overs);
}

const plainLegs: ReadonlySet<string> = new Set(['push', 'telegram', 'telegram-gateway'] satisfies Leg[]);
const isSmsLeg = (leg: Leg): leg is SmsProvider => !plainLegs.has(leg);
export const channelOf = (leg: Leg): Sending => (isSmsLeg(leg) ? 'sms' : leg);
/** A provider that this version does not know, on an attempt of another one, is one more leg of SMS. */
export const legOf = ({ channel, provider }: Pick<PastAttempt, 'channel' | 'provider'>): Leg =>
  (channel === 'sms' ? provider : channel) as Leg;

/** The channels in their order, the SMS by its providers: what was tried stays where it was, whatever the order is by now. */
export function legsOf(
  channels: readonly Channel[],
  attempts: readonly PastAttempt[],
  { smsOrder }: Pick<StepRules, 'smsOrder'>,
): readonly Leg[] {
  const tried = attempts.filter(({ channel }) => channel === 'sms').map(legOf);
  const sms = [...new Set([...tried, ...smsOrder])];
  return channels.flatMap((channel): readonly Leg[] =>
    channel === SILENT_CHANNEL ? [] : channel === 'sms' ? sms : [channel],
  );
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

/** Where one leg stands after the attempts made on it. */
function standingOf(
  leg: Leg,
  attempts: readonly PastAttempt[],
  rules: StepRules,
  hasNext: boolean,
  now: Date,
): Standing {
  const mine = attempts.filter((attempt) => legOf(attempt) === leg);
  const last = mine.at(-1);
  const unavailable = rules.unavailable.get(leg);
  // Also of a send whose answer was lost: the report says more than we know.
  if (last?.delivery === 'failed' || last?.delivery === 'expired')
    return { kind: 'over', how: 'rejected', reason: `delivery-${last.delivery}` };
  if (last?.outcome === 'completed') return standingOfTaken(last, leg, now);
  if (last?.outcome === 'rejected')
    return { kind: 'over', how: 'rejected', reason: last.reason ?? 'rejected' };
  if (unavailable !== undefined) return { kind: 'over', how: 'skipped', reason: unavailable };
  if (!last) return { kind: 'send' };
  if (isAwaitedUnknown(last, leg, hasNext)) return standingOfSilent(last, leg, now);
  // The row's time is that of the last attempt: it ends no pause that another channel's provider asked for before.
  const ownRules = { ...rules, isDue: rules.isDue && last === attempts.at(-1) };
  return last.outcome === 'snoozed'
    ? standingOfSnoozed(mine, last, ownRules, hasNext, now)
    : standingOfFailed(mine, last, ownRules, hasNext, now);
}

/** The provider took it: now it is confirmed, awaited, or silent for too long. */
function standingOfTaken(last: PastAttempt, leg: Leg, now: Date): Standing {
  if (channelRules[last.channel].confirmedBy === 'answer') return { kind: 'confirmed' };
  return standingOfSilent(last, leg, now);
}

/** Waits for a report until the leg's deadline. What nobody knows the end of is awaited from when it may have left. */
function standingOfSilent(last: PastAttempt, leg: Leg, now: Date): Standing {
  const from = last.outcome === 'completed' ? (last.closedAt ?? now) : last.openedAt;
  const until = new Date(from.getTime() + confirmWithinMs(leg));
  return now < until
    ? { kind: 'waiting', until, because: 'confirmation' }
    : { kind: 'over', how: isTaken(last) ? 'unconfirmed' : 'unknown', reason: unconfirmedOn(leg) };
}

/** Its provider said so, in its answer or in a report. */
const isTaken = ({ outcome, delivery }: PastAttempt) => outcome === 'completed' || delivery === 'sent';

const confirmWithinMs = (leg: Leg): number =>
  (smsRulesOf(leg) ?? channelRules[channelOf(leg)]).confirmWithinSeconds * 1_000;

/**
 * An SMS that may have left is billed, and a person who gets two asks which one counts: no second one by that provider while another
 * one is left, nor of a provider that would bill both.
 */
const isAwaitedUnknown = (last: PastAttempt, leg: Leg, hasNext: boolean): boolean =>
  isSmsLeg(leg) &&
  (last.outcome === 'unknown' || last.outcome === null) &&
  (hasNext || smsRulesOf(leg)?.mayRepeat === false);

const smsRulesOf = (leg: Leg): SmsProviderRules | undefined =>
  isSmsLeg(leg) ? smsProviderRules[leg] : undefined;

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
  leg: Leg,
  overs: readonly Extract<Standing, { kind: 'over' }>[],
  attempts: readonly PastAttempt[],
  rules: StepRules,
): Standing | null {
  const onlySilence =
    overs.some(({ how }) => how === 'unconfirmed') &&
    overs.every(({ how }) => how === 'unconfirmed' || how === 'skipped');
  const untried = attempts.every((attempt) => legOf(attempt) !== leg);
  return onlySilence &&
    untried &&
    channelRules[channelOf(leg)].paid &&
    !rules.pushUnconfirmedBuysSms &&
    isPushSilence(attempts)
    ? { kind: 'over', how: 'skipped', reason: 'push-silence-buys-nothing' }
    : null;
}

/** A paid channel that was promised a callback and got none did fail. */
const isPushSilence = (attempts: readonly PastAttempt[]) =>
  attempts
    .filter(({ outcome }) => outcome === 'completed' || outcome === 'unknown' || outcome === null)
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
  // A worker may have been lost before it sent anything: that no provider took the message is called no success.
  if (last.how === 'unknown') return finish('failed', 'unknown');
  return {
    kind: 'finish',
    state: last.how === 'attempts-used-up' ? 'failed' : 'rejected',
    reason: last.reason,
  };
}

/** Nothing is sent on the silent channel, so that no attempt is ever made on it. */
type Sending = Exclude<Channel, typeof SILENT_CHANNEL>;
const confirmedBy = (leg: Leg): CodeEndReason => `confirmed-by-${channelOf(leg)}`;
const unconfirmedOn = (leg: Leg): CodeEndReason => `${channelOf(leg)}-unconfirmed`;

const finish = (state: FinalState, reason: CodeEndReason) => ({ kind: 'finish', state, reason }) as const;
