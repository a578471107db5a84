import type { BankEncoding } from './letters.ts';

/**
 * `1CClientBankExchange`, the text in which accountants' programs here tell a bank what to pay, and a bank tells what it did. Amounts are
 * tiyin, days are as `2026-11-29`.
 */
export interface BankFile {
  readonly encoding: BankEncoding;
  /** The program or the bank that wrote it. */
  readonly sender: string;
  /** The account whose payments these are: ours. */
  readonly account: string;
  readonly from: string;
  readonly to: string;
  /** What a bank says of the account in that time; null in a file of orders. */
  readonly totals: BankTotals | null;
  readonly documents: readonly BankDocument[];
}

export interface BankTotals {
  readonly opening: bigint;
  /** What came in and went out. */
  readonly received: bigint;
  readonly spent: bigint;
  readonly closing: bigint;
}

export interface BankParty {
  readonly account: string;
  readonly name: string;
  /** INN of a firm, or PINFL of a person. */
  readonly taxId: string | null;
  /** Of their bank (MFO). */
  readonly bankCode: string | null;
}

export interface BankDocument {
  /** Of the payment order. */
  readonly number: string;
  readonly day: string;
  readonly amount: bigint;
  readonly payer: BankParty;
  readonly payee: BankParty;
  readonly purpose: string;
  /** When the bank moved the money, where it says so. */
  readonly bookedOn: string | null;
}

/** What one line of a file may hold; programs cut longer ones. */
export const NAME_CHARS_MAX = 160;
export const PURPOSE_CHARS_MAX = 210;
/** Of a file. A year of our payments is less; above it somebody uploaded something else. */
export const DOCUMENTS_MAX = 100_000;

/** `1234.56`, as these files write amounts. */
export const bankAmount = (tiyin: bigint): string =>
  `${tiyin / 100n}.${String(tiyin % 100n).padStart(2, '0')}`;

/** `29.11.2026` of `2026-11-29`. */
export const bankDay = (day: string): string => day.split('-').toReversed().join('.');
