import type { Page, PageOrder } from '../../shared/page.ts';
import type { ItemState } from '../batch/batch.ts';
import type { BatchId, PayoutId, RailId } from '../ids.ts';
import type { PayoutSource, PayoutState } from '../payout/payout.ts';
import type { MoneyRefusal } from '../refusals.ts';

/** A payout as finance sees it. Amounts are tiyin. */
export interface PayoutView {
  readonly id: PayoutId;
  readonly source: PayoutSource;
  readonly state: PayoutState;
  readonly reason: string | null;
  readonly version: number;
  readonly rail: RailId;
  readonly gross: bigint;
  readonly fee: bigint;
  readonly net: bigint;
  /** The project that pays; null: the person's own balance. */
  readonly funder: string | null;
  readonly personId: string | null;
  readonly phone: string | null;
  readonly payee: string | null;
  readonly purpose: string | null;
  readonly reference: string | null;
  readonly listId: string | null;
  readonly listLine: number | null;
  readonly last4: string | null;
  readonly nameScore: number | null;
  /** Who asked: `person`, `staff:ID`, `key:ID`. */
  readonly askedBy: string;
  readonly batch: { readonly id: BatchId; readonly n: number; readonly state: ItemState } | null;
  readonly createdAt: Date;
  readonly stateAt: Date;
  readonly expiresAt: Date | null;
}

export interface PayoutsFilter {
  readonly state?: PayoutState | undefined;
  readonly source?: PayoutSource | undefined;
  readonly rail?: RailId | undefined;
  readonly list_id?: string | undefined;
  readonly funder?: string | undefined;
  readonly person_id?: string | undefined;
  readonly phone?: string | undefined;
  /** `person`, `staff:ID` or `key:ID`. */
  readonly asked_by?: string | undefined;
  /** Asked for at or after. */
  readonly from?: Date | undefined;
  /** Asked for before. */
  readonly to?: Date | undefined;
}

/** One of its transfers in the ledger. */
export interface PayoutTransfer {
  readonly n: bigint;
  readonly kind: string;
  /** Micros. */
  readonly amount: bigint;
  readonly from: string;
  readonly to: string;
  readonly postedAt: Date;
  readonly actor: string;
}

export interface PayoutReads {
  /** Newest first. */
  readonly payouts: (filter: PayoutsFilter, order: PageOrder) => Promise<Page<PayoutView>>;
  readonly payout: (id: PayoutId) => Promise<PayoutView | null>;
  /** In the order of the book. */
  readonly transfers: (id: PayoutId) => Promise<readonly PayoutTransfer[]>;
}

/** By a member of staff, before it stands in a batch. Twice at once: the second is refused, with the state that it finds. */
export type CancelPayout = (
  id: PayoutId,
  staffId: string,
  why: string,
) => Promise<
  | { readonly ok: true; readonly state: PayoutState; readonly version: number }
  | { readonly ok: false; readonly refusal: MoneyRefusal }
>;
