import { createHash } from 'node:crypto';

/** What the first block of a book follows: no two books begin alike, so that no block fits into another's chain. */
export const genesisOf = (book: string): Buffer =>
  createHash('sha256')
    .update('navbat-ledger-1')
    .update(Buffer.from(book.replaceAll('-', ''), 'hex'))
    .digest();

export interface HashedBlock {
  /** The hash of the block before. */
  readonly before: Buffer;
  readonly k: bigint;
  readonly nTo: bigint;
  /** `closed_at`, as Postgres sends it. */
  readonly closed: Buffer;
  /** SHA-256 of all row hashes, one behind the other. */
  readonly digest: Buffer;
}

/** The hash of a block, as `ledger_close` makes it. */
export function blockHash({ before, k, nTo, closed, digest }: HashedBlock): Buffer {
  const numbers = Buffer.alloc(16);
  numbers.writeBigInt64BE(k, 0);
  numbers.writeBigInt64BE(nTo, 8);
  return createHash('sha256').update(before).update(numbers).update(closed).update(digest).digest();
}
