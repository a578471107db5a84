/** A payment whose end nobody knows: it may have left the wallet. */
export interface InFlight {
  readonly dispatch: string;
  /** With the rail's commission, as far as it is known; in tiyin. */
  readonly total: bigint;
}

/** What our rows say of one rail, all of one moment; in tiyin. The ledger's balances have whole tiyin here. */
export interface RailBooks {
  readonly rail: string;
  /** Somebody has booked what was sent to the wallet. Before that nothing of it can be compared. */
  readonly isOpened: boolean;
  /** Credits less debits: of the wallet below 0 while there is money in it. */
  readonly wallet: bigint;
  readonly clearing: bigint;
  /** What clearing has to be: paid and in no statement yet, less what came back likewise. */
  readonly unmatched: bigint;
  /** What left by lines that are differences, and so are not posted, less what came back by them. */
  readonly unposted: bigint;
  readonly inFlight: readonly InFlight[];
}

/** What our rows say of all payouts; in tiyin. */
export interface HeldBooks {
  /** Balances of `held` and `funded-held`. */
  readonly held: bigint;
  /** Gross of the payouts that are open. */
  readonly open: bigint;
}

/** One that does not hold. `by`: how much the books have too much; never 0. */
export interface Imbalance {
  readonly equation: 'wallet' | 'clearing' | 'held';
  readonly by: bigint;
}

/** What the wallet has by our books, if nothing that is in flight has been paid. */
export const expectedWallet = ({ wallet, clearing, unposted }: RailBooks): bigint =>
  -wallet - clearing - unposted;

/**
 * Whether the wallet has what it should, to the tiyin.
 *
 * @param balance what the rail says that our wallet has; null where it says nothing of it.
 * @param moving payments that were in flight at any moment between the reading of the books and that of the wallet.
 */
export function checkRail(
  books: RailBooks,
  balance: bigint | null,
  moving: readonly InFlight[] = books.inFlight,
): readonly Imbalance[] {
  const apart = balance === null || !books.isOpened ? 0n : expectedWallet(books) - balance;
  const kept = books.clearing - books.unmatched;
  return [
    ...(isSumOf(apart, moving) ? [] : [{ equation: 'wallet' as const, by: apart }]),
    ...(kept === 0n ? [] : [{ equation: 'clearing' as const, by: kept }]),
  ];
}

export const checkHeld = ({ held, open }: HeldBooks): readonly Imbalance[] =>
  held === open ? [] : [{ equation: 'held', by: held - open }];

/** Sums of more payments than this are not all tried: then it is enough to lie between none of them and all. */
const SUMS_MAX = 20_000;

/** Whether some of these payments, none, or all, make it exactly. */
function isSumOf(amount: bigint, payments: readonly InFlight[]): boolean {
  let sums = new Set([0n]);
  for (const { total } of payments) {
    sums = new Set([...sums, ...[...sums].map((sum) => sum + total)]);
    if (sums.size <= SUMS_MAX) continue;
    const all = payments.reduce((sum, one) => sum + one.total, 0n);
    return amount >= 0n && amount <= all;
  }
  return sums.has(amount);
}
