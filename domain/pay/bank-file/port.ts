import type { MoneyRefusal } from '../refusals.ts';
import type { BankOrder } from './orders.ts';

export interface WrittenFile {
  readonly dispatchId: string;
  /** Of its batch, from 1. */
  readonly part: number;
  readonly documents: number;
  /** Tiyin. */
  readonly total: bigint;
  readonly sha256: string;
}

export interface KeptFile extends WrittenFile {
  readonly bytes: Buffer;
  /** How many the batch has so far. */
  readonly parts: number;
}

export interface BankFiles {
  /** Running batches with items that stand in no file yet. */
  readonly waiting: () => Promise<readonly string[]>;
  /**
   * The next items of the batch, as a file that is kept: one commit. Null where all of them may not be paid any more.
   *
   * @param write the bytes of the file.
   */
  readonly write: (
    batchId: string,
    write: (orders: readonly BankOrder[]) => Buffer,
  ) => Promise<
    | { readonly ok: true; readonly file: WrittenFile | null }
    | { readonly ok: false; readonly refusal: MoneyRefusal }
  >;
  /** The same bytes each time. Null: there is no such batch, or no such part yet. */
  readonly read: (batchId: string, part: number) => Promise<KeptFile | null>;
}
