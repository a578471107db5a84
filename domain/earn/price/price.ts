import type { Page, PageOrder } from '../../shared/page.ts';
import type { PriceChangeId } from '../ids.ts';

/** Tiyin in a day of work would not buy so much: beyond it somebody typed UZS or a zero too many. 10 000 UZS a MB. */
export const TIYIN_PER_MB_MAX = 1_000_000;
/** What differs more from the last price that two people agreed to, or from the first of all, takes a second person. */
export const CHANGE_ALONE_PERCENT = 30;

const BYTES_PER_MB = 1_000_000n;
export const MICROS_PER_TIYIN = 10_000n;

/** What so many bytes of one session and day earn, in 10^-6 UZS, rounded down. Never summed of parts: each would be rounded by itself. */
export const microsOf = (bytes: bigint, tiyinPerMb: number): bigint =>
  (bytes * BigInt(tiyinPerMb) * MICROS_PER_TIYIN) / BYTES_PER_MB;

/** What a MB (10^6 bytes) earns on a day of Tashkent. */
export interface DayPrice {
  readonly day: string;
  readonly tiyinPerMb: number;
  /** Nobody set one for the day: it is that of the day before. */
  readonly carried: boolean;
}

const priceRefusals = [
  'day-begun',
  'day-too-far',
  'own-change',
  'asker-gone',
  'change-ended',
  'unknown-change',
] as const;
export type PriceRefusal = (typeof priceRefusals)[number];

/** Set, or waiting for a second person. */
export type PriceAsked =
  | { readonly ok: true; readonly state: 'set' | 'asked'; readonly id: PriceChangeId | null }
  | { readonly ok: false; readonly reason: PriceRefusal };

/** A price that waits for a second person, or did. */
export interface PriceChange {
  readonly id: PriceChangeId;
  readonly day: string;
  readonly tiyinPerMb: number;
  readonly state: 'asked' | 'agreed' | 'withdrawn';
  readonly askedBy: string;
  readonly askedAt: Date;
  readonly endedBy: string | null;
  readonly endedAt: Date | null;
}

export interface Prices {
  /** In force on this day; null before the first price. */
  readonly of: (day: string) => Promise<DayPrice | null>;
  readonly set: (day: string, tiyinPerMb: number, staffId: string) => Promise<PriceAsked>;
  readonly agree: (id: PriceChangeId, staffId: string) => Promise<PriceAsked>;
  readonly withdraw: (id: PriceChangeId, staffId: string) => Promise<PriceAsked>;
  /** Newest first. */
  readonly changes: (order: PageOrder) => Promise<Page<PriceChange>>;
}

/** Beside the reconciler. */
export interface PriceRounds {
  /** Gives each day that has begun its row. Answers days to which a price was carried. */
  readonly carry: () => Promise<readonly string[]>;
}
