import type { accountClasses, TransferKind } from './accounts.ts';

type AccountClass = (typeof accountClasses)[keyof typeof accountClasses][number];

/** A transfer of this kind may debit the one class and credit the other; with `sameOwner` only between accounts of one person or project. */
export interface AllowedMove {
  readonly kind: TransferKind;
  readonly debit: AccountClass;
  readonly credit: AccountClass;
  readonly sameOwner: boolean;
}

const move = (
  kind: TransferKind,
  debit: AccountClass,
  credit: AccountClass,
  whose: 'same-owner' | 'anybody' = 'anybody',
): AllowedMove => ({ kind, debit, credit, sameOwner: whose === 'same-owner' });

/**
 * The table `ledger_move`, written again: it is the database owner's, who may add to it what was never allowed. What verifies the ledger
 * asks these.
 */
export const allowedMoves: readonly AllowedMove[] = [
  move('earn', 'earnings', 'available'),
  move('earn', 'earnings', 'receivable'),
  move('promo', 'promo', 'available'),
  move('take-back', 'available', 'earnings'),
  move('take-back', 'receivable', 'earnings'),
  move('recover', 'available', 'receivable', 'same-owner'),
  move('write-off', 'adjustment', 'receivable'),
  move('adjust', 'available', 'adjustment'),
  move('adjust', 'adjustment', 'available'),
  move('hold', 'available', 'held', 'same-owner'),
  move('release', 'held', 'available', 'same-owner'),
  move('pay', 'held', 'clearing'),
  move('fee', 'held', 'fee'),
  move('commission', 'commission', 'clearing'),
  move('return', 'clearing', 'available'),
  move('return', 'fee', 'available'),
  move('take-back', 'receivable', 'clearing'),
  move('return', 'clearing', 'commission'),
  move('top-up', 'bank', 'funded'),
  move('hold', 'funded', 'funded-held', 'same-owner'),
  move('release', 'funded-held', 'funded', 'same-owner'),
  move('pay', 'funded-held', 'clearing'),
  move('fee', 'funded-held', 'fee'),
  move('return', 'clearing', 'funded'),
  move('return', 'fee', 'funded'),
  move('adjust', 'funded', 'adjustment'),
  move('adjust', 'adjustment', 'funded'),
  move('top-up', 'wallet', 'bank'),
  move('line', 'clearing', 'wallet'),
  move('line', 'wallet', 'clearing'),
];
