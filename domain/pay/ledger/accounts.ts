import { z } from 'zod';

/** Counted up from 1, as text. With 18 digits at most each is a bigint of Postgres, whatever its digits. */
export const AccountId = z
  .string()
  .regex(/^[1-9]\d{0,17}$/, 'expected the number of an account, such as 42')
  .brand<'AccountId'>();
export type AccountId = z.infer<typeof AccountId>;

/** The classes of account, by whose they are. The table `ledger_class` says what each is and how far it may go. */
export const accountClasses = {
  person: ['available', 'held', 'receivable'],
  project: ['funded', 'funded-held'],
  book: ['earnings', 'promo', 'commission', 'adjustment', 'fee', 'bank'],
  rail: ['clearing', 'wallet'],
} as const;

/** The kinds of transfer. The table `ledger_move` says between which classes each may move. */
export const transferKinds = [
  'earn',
  'promo',
  'take-back',
  'recover',
  'write-off',
  'adjust',
  'hold',
  'release',
  'pay',
  'fee',
  'commission',
  'return',
  'top-up',
  'line',
] as const;
export type TransferKind = (typeof transferKinds)[number];
