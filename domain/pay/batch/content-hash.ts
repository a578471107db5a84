/** A line of a batch, as far as its hash goes. */
export interface HashedLine {
  readonly n: number;
  readonly payoutId: string;
  /** What leaves, in tiyin. */
  readonly net: bigint;
  /** HMAC-SHA256 of the rail's token or account, in hex. */
  readonly tokenHash: string;
  readonly last4: string;
}

/**
 * What the hash of a batch is SHA-256 of: its lines that are not dropped, in order of n. `payout_batch_content` in Postgres writes the
 * same text; whoever holds the rows can do it again by hand.
 */
export const hashedText = (lines: readonly HashedLine[]): string =>
  lines
    .toSorted((a, b) => a.n - b.n)
    .map(({ n, payoutId, net, tokenHash, last4 }) => `${n},${payoutId},${net},${tokenHash},${last4}\n`)
    .join('');
