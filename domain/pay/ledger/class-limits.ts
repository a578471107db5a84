import type { accountClasses } from './accounts.ts';

type AccountClass = (typeof accountClasses)[keyof typeof accountClasses][number];

interface Limits {
  /** Null: however far. */
  readonly floor: bigint | null;
  readonly ceiling: bigint | null;
}

const never = { below: { floor: 0n, ceiling: null }, above: { floor: null, ceiling: 0n } } as const;
const unlimited: Limits = { floor: null, ceiling: null };

/** How far each account may go, as the table `ledger_class` has it, written again as `moves.ts` is: what verifies the ledger asks these. */
export const classLimits: Readonly<Record<AccountClass, Limits>> = {
  available: never.below,
  held: never.below,
  receivable: never.above,
  funded: never.below,
  'funded-held': never.below,
  earnings: unlimited,
  promo: unlimited,
  commission: unlimited,
  adjustment: unlimited,
  fee: unlimited,
  bank: unlimited,
  clearing: unlimited,
  wallet: unlimited,
};
