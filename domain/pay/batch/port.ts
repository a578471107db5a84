import type { Page, PageOrder } from '../../shared/page.ts';
import type { BatchId, PayoutId, PayoutListId, RailId } from '../ids.ts';
import type { PayoutSource } from '../payout/payout.ts';
import type { BatchState, ItemState } from './batch.ts';

/** Of a batch as somebody has read it: what has changed since is refused. */
export interface BatchAct {
  readonly batchId: BatchId;
  readonly version: number;
  readonly staffId: string;
}

/** A batch after what was done to it. */
export interface BatchNow {
  readonly state: BatchState;
  readonly version: number;
  readonly count: number;
  /** In tiyin. */
  readonly total: bigint;
  /** SHA-256 in hex; null of a draft. */
  readonly contentHash: string | null;
}

/**
 * What staff do with batches. Who may, and whether these two people may together, is asked in Postgres; each writes its action in the
 * same commit.
 *
 * @throws MoneyRefusedError where it is refused; the transaction then keeps nothing of it.
 */
export interface Batches<Tx> {
  create(
    tx: Tx,
    batch: { readonly rail: RailId; readonly name: string; readonly staffId: string },
  ): Promise<BatchNow & { readonly id: BatchId }>;
  /** At most 5 000; all or none. */
  add(tx: Tx, act: BatchAct, payouts: readonly PayoutId[]): Promise<BatchNow>;
  /** Lines by their numbers. */
  drop(tx: Tx, act: BatchAct, lines: readonly number[], reason: string | null): Promise<BatchNow>;
  submit(tx: Tx, act: BatchAct): Promise<BatchNow>;
  reject(tx: Tx, act: BatchAct, reason: string): Promise<BatchNow>;
  withdraw(tx: Tx, act: BatchAct, reason: string | null): Promise<BatchNow>;
  /** `read`: what the approver says that they have read. The proof binds 'batch.approve', the batch, its version, and these. */
  approve(
    tx: Tx,
    act: BatchAct,
    read: Pick<BatchNow, 'count' | 'total'> & { readonly contentHash: string },
    proofId: string,
  ): Promise<BatchNow>;
  /** @param at null: now. At most 31 days ahead. */
  run(tx: Tx, act: BatchAct, at: Date | null): Promise<BatchNow>;
  /** Without a version: whatever it is, in a hurry. */
  pause(
    tx: Tx,
    act: Omit<BatchAct, 'version'> & { readonly version: number | null },
    reason: string | null,
  ): Promise<BatchNow>;
  resume(tx: Tx, act: BatchAct): Promise<BatchNow>;
  /** Of more than 10 000 lines the rest is taken out by `BatchesDue`. */
  cancelRest(tx: Tx, act: BatchAct, reason: string | null): Promise<BatchNow>;
  close(tx: Tx, act: BatchAct): Promise<BatchNow>;
  /** The phone of a member of staff: no batch that pays it is approved or submitted by them. `declaredBy` null: the command line. */
  declareHandler(tx: Tx, staffId: string, phone: string, declaredBy: string | null): Promise<void>;
}

/** For housekeeping: any number of processes at once. */
export interface BatchesDue {
  /** Starts what was planned for by now. */
  run(limit: number): Promise<readonly BatchId[]>;
  /** Goes on taking lines out of large batches whose rest was cancelled. How many still have some. */
  cancel(limit: number): Promise<number>;
}

export interface BatchView extends BatchNow {
  readonly id: BatchId;
  readonly rail: RailId;
  readonly name: string;
  readonly approvalsNeeded: number;
  readonly madeBy: string;
  readonly madeAt: Date;
  readonly submittedAt: Date | null;
  /** When it is to start. */
  readonly runAt: Date | null;
  readonly startedAt: Date | null;
  readonly doneAt: Date | null;
  readonly closedAt: Date | null;
}

export interface BatchItem {
  readonly n: number;
  readonly payoutId: PayoutId;
  readonly net: bigint;
  readonly last4: string;
  readonly personId: string | null;
  readonly phone: string | null;
  readonly payeeName: string | null;
  readonly nameScore: number | null;
  readonly state: ItemState;
  readonly dispatchId: string | null;
  /** Of its payout: why it failed or came back. */
  readonly reason: string | null;
}

export interface BatchAction {
  readonly id: string;
  readonly action: string;
  readonly staffId: string;
  readonly version: number | null;
  readonly reason: string | null;
  readonly at: Date;
}

/** What may be added: pending, by this rail, to a card that is usable. */
export interface PayableFilter {
  readonly rail: RailId;
  readonly source?: PayoutSource | undefined;
  readonly listId?: PayoutListId | undefined;
  readonly createdBefore?: Date | undefined;
}

/** What an approver is to look at before the lines. */
export interface BatchRisk {
  /** To a card that was bound in the last seven days. */
  readonly newDestinations: number;
  /** To a card that three payees or more have bound. */
  readonly sharedCards: number;
  /** To somebody who was never paid. */
  readonly firstPayouts: number;
  /** The name on the card scores below 80. */
  readonly lowNames: number;
  /** The largest five. */
  readonly largest: readonly Pick<BatchItem, 'n' | 'payoutId' | 'net' | 'last4' | 'payeeName'>[];
  /** Totals of the last three batches of this rail that were submitted before it, the newest first. */
  readonly lastTotals: readonly bigint[];
}

export interface BatchReads {
  find(id: BatchId): Promise<BatchView | null>;
  /** Newest first. */
  page(states: readonly BatchState[] | null, order: PageOrder): Promise<Page<BatchView>>;
  /** In the order of their numbers. `after`: the last number of the page before. */
  items(
    id: BatchId,
    page: { readonly after: number; readonly limit: number; readonly states: readonly ItemState[] | null },
  ): Promise<readonly BatchItem[]>;
  /** How many lines are in each state, and their sum in tiyin. */
  progress(id: BatchId): Promise<readonly { state: ItemState; count: number; total: bigint }[]>;
  /** The oldest first. */
  actions(id: BatchId): Promise<readonly BatchAction[]>;
  /** Whoever may not approve it, because they had a hand in it. */
  makers(id: BatchId): Promise<readonly string[]>;
  /** Ids to add, the oldest first. */
  payable(filter: PayableFilter, limit: number): Promise<readonly PayoutId[]>;
  /** Live count and sum of the same. */
  countPayable(filter: PayableFilter): Promise<{ readonly count: number; readonly total: bigint }>;
  risk(id: BatchId): Promise<BatchRisk>;
}
