import type { PaidAsker } from './asker.ts';

/**
 * Toll fraud pumps codes to numbers of one block that nobody verifies. A prefix is a number without its last four digits;
 * its counts decay, so that a block ends by itself when the pumping does.
 */
export interface PrefixScore {
  /** Codes sent by a paid channel and then verified, each halved every `HALF_LIFE_SECONDS`, as of `at`. */
  readonly sent: number;
  readonly verified: number;
  readonly at: Date;
}

/**
 * Under which name a send is scored. Strangers have a score of their own, so that what they pump blocks no service; whoever calls
 * from where the number's codes were right is in none.
 */
export function scoredPrefix(prefix: string | null, asker: PaidAsker): string | null {
  if (prefix === null || asker === 'known') return null;
  return asker === 'stranger' ? `strangers ${prefix}` : prefix;
}

/** An hour: pumps run for minutes, and honest users come back the same day. */
export const HALF_LIFE_SECONDS = 3_600;
/** Fewer codes than this prove nothing: a family shares a prefix. */
export const PREFIX_SAMPLE_MIN = 10;
/** Honest traffic verifies more than half of its codes; pumped traffic next to none. */
const VERIFIED_SHARE_MIN = 0.1;

export function decayed(score: PrefixScore, now: Date): PrefixScore {
  const factor = 0.5 ** (Math.max(0, now.getTime() - score.at.getTime()) / (HALF_LIFE_SECONDS * 1_000));
  return { sent: score.sent * factor, verified: score.verified * factor, at: now };
}

export function isPrefixBlocked(score: PrefixScore, now: Date): boolean {
  const { sent, verified } = decayed(score, now);
  return sent >= PREFIX_SAMPLE_MIN && verified < sent * VERIFIED_SHARE_MIN;
}

/** When a block ends, if no more codes are sent: its counts then prove nothing any more. Null where there is none. */
export function prefixBlockedUntil(score: PrefixScore, now: Date): Date | null {
  if (!isPrefixBlocked(score, now)) return null;
  const halvings = Math.log2(score.sent / PREFIX_SAMPLE_MIN);
  return new Date(score.at.getTime() + halvings * HALF_LIFE_SECONDS * 1_000);
}
