import { z } from 'zod';
import type { Page, PageOrder } from '../../shared/page.ts';
import { holdsCardNumber } from '../../pay/list/card-number.ts';

/** Of one use, in tiyin: 1 000 000 UZS. Beyond it somebody typed a zero too many. */
export const PROMO_TIYIN_MAX = 100_000_000n;
export const PROMO_USES_MAX = 1_000_000;
/** What one person may promise without a second one, in tiyin, all their codes of 24 hours together: 1 000 000 UZS. */
export const PROMO_ALONE_TIYIN_MAX = 100_000_000n;
/** Further ahead somebody mistyped the year. */
export const PROMO_LIFE_DAYS_MAX = 366;

/** Tries of one person in an hour, right or wrong: who has a code types it once or twice, and a guesser needs millions. */
export const PROMO_TRIES_PER_PERSON_PER_HOUR = 10;
/** From one address: 300 phones behind one of a mobile carrier redeem what was announced, and mistype it once. */
export const PROMO_TRIES_PER_ADDRESS_PER_HOUR = 600;

export const PromoId = z.uuid().brand<'PromoId'>();
export type PromoId = z.infer<typeof PromoId>;

/** As people type it, in any case. Capitals are what is compared, and kept. */
export const PromoText = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9]{6,24}$/, 'expected 6 to 24 of A-Z and 0-9')
  .transform((text) => text.toUpperCase())
  .meta({ description: 'In capitals or small letters.', example: 'WELCOME26' });

/** A new one: it becomes a part of keys of the ledger, which hold no card number. */
export const NewPromoText = PromoText.refine((text) => /[A-Z]/.test(text) && !holdsCardNumber(text), {
  error: 'expected a letter in it, and no number of a card',
}).meta({ description: 'What people type, in any case. Used once.', example: 'WELCOME26' });

/** `asked`: another person has to agree. `withdrawn`: it never was active. `ended`: by staff, before its time. */
export const promoStates = ['asked', 'active', 'withdrawn', 'ended'] as const;
export type PromoState = (typeof promoStates)[number];

export interface Promo {
  readonly id: PromoId;
  readonly text: string;
  /** For each who redeems it, in tiyin. */
  readonly amount: bigint;
  readonly usesMax: number;
  readonly uses: number;
  readonly validFrom: Date;
  readonly validTo: Date;
  readonly state: PromoState;
  readonly askedBy: string;
  readonly askedAt: Date;
  readonly agreedBy: string | null;
  readonly endedBy: string | null;
}

export interface PromoOrder {
  readonly text: string;
  readonly amount: bigint;
  readonly usesMax: number;
  readonly validFrom: Date;
  readonly validTo: Date;
}

export type PromoRefusal =
  | 'promo-dates'
  | 'promo-taken'
  | 'unknown-promo'
  | 'promo-agreed'
  | 'own-promo'
  | 'asker-gone';

export type PromoDone =
  | { readonly ok: true; readonly promo: Promo }
  | { readonly ok: false; readonly reason: PromoRefusal };

/** What staff of finance do. The database knows who may, and when it takes two. */
export interface StaffPromos {
  /** Newest first. */
  readonly list: (state: PromoState | null, order: PageOrder) => Promise<Page<Promo>>;
  readonly make: (order: PromoOrder, staffId: string) => Promise<PromoDone>;
  readonly agree: (id: PromoId, staffId: string) => Promise<PromoDone>;
  /** Twice: the second finds it ended. */
  readonly end: (id: PromoId, staffId: string) => Promise<PromoDone>;
}

/** Why a person gets nothing. */
export type RedeemRefusal = 'blocked' | 'promo-unknown' | 'promo-ended' | 'promo-used-up';

export interface Redeemed {
  /** In tiyin. */
  readonly amount: bigint;
  /** Of it, what the person owed. */
  readonly owed: bigint;
  readonly at: Date;
}

export interface Redemption extends Redeemed {
  readonly id: string;
  readonly text: string;
}

export interface PersonPromos {
  /** Once: again it answers what was redeemed then. */
  readonly redeem: (
    personId: string,
    text: string,
  ) => Promise<
    | { readonly ok: true; readonly redeemed: Redeemed; readonly repeated: boolean }
    | { readonly ok: false; readonly reason: RedeemRefusal }
  >;
  /** Newest first. */
  readonly list: (personId: string, order: PageOrder) => Promise<Page<Redemption>>;
}
