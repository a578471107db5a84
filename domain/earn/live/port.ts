import type { Balance, Withdrawal } from '../../pay/payout/withdrawals.ts';
import type { SessionId } from '../ids.ts';
import type { DayPrice } from '../price/price.ts';

/** What a person follows: each part is told whole, so that a state which nobody heard is not missed. */
export const liveParts = ['balance', 'session', 'price', 'withdrawal'] as const;
export type LivePart = (typeof liveParts)[number];

/** Open sessions of one person: as many installations as may share within thirty days, and room for a change of that. */
export const LIVE_SESSIONS_MAX = 5;
/** Three may be under way at a time; the others are those that ended last, mostly. */
export const LIVE_WITHDRAWALS_MAX = 5;

/** A session that goes on. Amounts are tiyin. */
export interface LiveSession {
  readonly id: SessionId;
  readonly installationId: string;
  readonly startedAt: Date;
  /** So many were taken. */
  readonly reports: number;
  /** Of those that are metered: what the phone claims. */
  readonly bytes: bigint;
  /** What it earns: with the close of its days, and where a person decides so. */
  readonly amount: bigint;
  readonly review: bigint;
}

export interface LiveState {
  readonly balance: Balance;
  /** The newest first. */
  readonly session: readonly LiveSession[];
  /** In force today; null before the first one. */
  readonly price: DayPrice | null;
  /** The newest first. */
  readonly withdrawal: readonly Withdrawal[];
}

/** Each part as a text of its own: two texts are equal where the states are. */
export type LiveTexts = Readonly<Record<LivePart, string>>;

export interface LiveStates {
  /** One look for all of them. Somebody of whom nothing is known has an empty state. */
  readonly texts: (personIds: readonly string[]) => Promise<ReadonlyMap<string, LiveTexts>>;
  /** What such a text says. */
  readonly read: { readonly [Part in LivePart]: (text: string) => LiveState[Part] };
}
