import type { NoWork } from '../../job/single.ts';
import type { EngineReason } from '../../job/reasons.ts';
import type { AttemptOutcome } from '../../job/job.ts';
import type { Locale } from '../../shared/locale.ts';
import type { Phone } from '../../shared/phone.ts';
import type { JobId } from '../../shared/ids.ts';
import type { LinkReason } from './reasons.ts';

/** One way to a payee: the bot, or a provider of SMS. */
export interface LinkWay {
  readonly channel: 'telegram' | 'sms';
  /** As on attempts, such as `eskiz`. */
  readonly provider: string;
}

/** An earlier attempt of the job. */
export interface TriedWay extends LinkWay {
  /** Null while it is open: met again after a crash, it counts as unknown. */
  readonly outcome: AttemptOutcome | null;
  readonly reason: string | null;
}

/** All that the next step of a link's job depends on. */
export interface LinkFacts {
  readonly jobId: JobId;
  /** The number that the next attempt will have. */
  readonly attempt: number;
  /** Its payout waits for a card, and no newer link was made. */
  readonly isLive: boolean;
  /** The phone was proven by somebody else than whom the list was imported for. */
  readonly hasMoved: boolean;
  /** Null where it can't be read. */
  readonly token: string | null;
  readonly phone: Phone;
  /** The bot's newest chat with whoever has the phone; null where there is none that is open. */
  readonly chatId: string | null;
  /** Null where nobody knows what they read. */
  readonly locale: Locale | null;
  readonly payer: string;
  /** In tiyin. */
  readonly amount: bigint;
  readonly purpose: string | null;
  readonly isReminder: boolean;
  readonly expiresAt: Date;
  readonly tried: readonly TriedWay[];
}

/** Of each way: a fault may pass, and whoever is refused twice is refused. */
const TRIES_A_WAY = 2;

/**
 * The way by which the link goes now, the first with the fewest failures; or why it goes nowhere any more. What the bot may have sent, it sends once more. An SMS of which nobody knows whether it left
 * costs money and is read by a person: it counts as sent, and the reminder comes in its time.
 *
 * @param ways those that there are for this payee, in their order.
 */
export function nextWay(facts: LinkFacts, ways: readonly LinkWay[]): LinkWay | NoWork {
  const { tried } = facts;
  if (!facts.isLive) return { settled: 'cancelled', reason: 'link-ended' satisfies LinkReason };
  if (facts.hasMoved) return { settled: 'rejected', reason: 'payee-phone-moved' satisfies LinkReason };
  if (tried.some(({ channel, outcome }) => channel === 'sms' && mayHaveLeft(outcome)))
    return { settled: 'completed', reason: 'unknown' satisfies EngineReason };
  const by = ({ provider }: LinkWay) => tried.filter((one) => one.provider === provider);
  const failures = (way: LinkWay) => by(way).filter(({ outcome }) => outcome === 'failed').length;
  const tries = (way: LinkWay) => by(way).filter(({ outcome }) => outcome !== 'snoozed').length;
  const open = ways.filter((way) => tries(way) < TRIES_A_WAY);
  const [next] = open.toSorted((a, b) => failures(a) - failures(b));
  if (next) return next;
  if (ways.length === 0) return { settled: 'rejected', reason: 'payee-unreachable' satisfies LinkReason };
  return { settled: 'failed', reason: tried.at(-1)?.reason ?? ('unknown' satisfies EngineReason) };
}

const mayHaveLeft = (outcome: AttemptOutcome | null) => outcome === 'unknown' || outcome === null;
