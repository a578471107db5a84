import { type BankAccount } from '../payout/bank-account.ts';
import type { BankFile, BankParty } from './file.ts';
import { purposeWith } from './reference.ts';

/** One payment of a file, as its item in the batch has it. */
export interface BankOrder {
  /** Of the item in its batch: the number of the payment order. */
  readonly n: number;
  readonly payoutId: string;
  /** Tiyin. */
  readonly net: bigint;
  readonly account: BankAccount;
  readonly name: string;
  readonly purpose: string;
}

/** Windows: what every bank's program here reads. */
const ENCODING = 'Windows';

/** The file of these payments, out of our account. @param day of Tashkent. */
export const ordersFile = (payer: BankParty, day: string, orders: readonly BankOrder[]): BankFile => ({
  encoding: ENCODING,
  sender: payer.name,
  account: payer.account,
  from: day,
  to: day,
  totals: null,
  documents: orders.map(({ n, payoutId, net, account, name, purpose }) => ({
    number: String(n),
    day,
    amount: net,
    payer,
    payee: { account: account.account, name, taxId: null, bankCode: account.mfo },
    purpose: purposeWith(payoutId, purpose, ENCODING),
    bookedOn: null,
  })),
});
