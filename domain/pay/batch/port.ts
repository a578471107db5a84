import type { BatchId, PayoutId, RailId } from '../ids.ts';
import type { BatchState } from './batch.ts';

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
}

/** For housekeeping: any number of processes at once. */
export interface BatchesDue {
  /** Starts what was planned for by now. */
  run(limit: number): Promise<readonly BatchId[]>;
  /** Goes on taking lines out of large batches whose rest was cancelled. How many still have some. */
  cancel(limit: number): Promise<number>;
}
