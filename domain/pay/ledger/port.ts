import { z } from 'zod';

/** An amount of 10^-6 UZS. A transfer moves at most 10^18 of them. */
export const Micros = z
  .bigint()
  .min(1n)
  .max(10n ** 18n)
  .brand<'Micros'>();
export type Micros = z.infer<typeof Micros>;

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
type ClassOf<Owner extends keyof typeof accountClasses> = (typeof accountClasses)[Owner][number];

/** What an account is found by. */
export type AccountName =
  | { readonly class: ClassOf<'person' | 'project'>; readonly owner: string }
  | { readonly class: ClassOf<'rail'>; readonly rail: string }
  | { readonly class: ClassOf<'book'> };

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

export interface Transfer {
  /** One transfer in the book for ever: 1 to 200 signs of printable ASCII without spaces, and no card number. */
  readonly key: string;
  readonly kind: TransferKind;
  readonly debit: AccountId;
  readonly credit: AccountId;
  readonly amount: Micros;
  /** What it is for, such as a withdrawal. */
  readonly subjectId: string | null;
  /** When it happened, which may be days before it is posted. */
  readonly eventAt: Date;
  /** Who or what posts it, written as a key. */
  readonly actor: string;
}

/** A transfer as it stands in the book. */
export interface PostedTransfer extends Transfer {
  readonly n: bigint;
}

export interface Posted {
  readonly ok: true;
  /** Its number in the book. */
  readonly n: bigint;
  /** The same transfer was posted before, under this key. */
  readonly repeated: boolean;
}
export interface Refused {
  readonly ok: false;
  readonly reason: TransferRefusal;
}

/**
 * Why a transfer is not posted:
 * `insufficient`: an account would pass its floor or ceiling. The key is burned: it is answered so for ever.
 * `key-reused`: the key stands for another transfer.
 * `no-such-move`: there is no such account, or nothing may move so between these two.
 */
export type TransferRefusal = 'insufficient' | 'key-reused' | 'no-such-move';

export interface Balance {
  readonly account: AccountId;
  readonly balance: bigint;
  /** How many transfers have moved it. */
  readonly version: bigint;
}

/** One book. Every call may be repeated: a transfer is known by its key, an account by its name. */
export interface Ledger {
  /** Makes those that are missing; answers in the order of the names. At most 1 000. */
  readonly open: (names: readonly AccountName[]) => Promise<readonly AccountId[]>;
  /** Those that are posted at the same time share one commit, each by itself. */
  readonly post: (transfer: Transfer) => Promise<Posted | Refused>;
  /** All or none, in one commit of their own; the reason is that of the first which is refused, and burns no key. At most 1 000. */
  readonly postAll: (
    transfers: readonly Transfer[],
  ) => Promise<{ readonly ok: true; readonly posted: readonly Posted[] } | Refused>;
  readonly find: (key: string) => Promise<PostedTransfer | null>;
  /** In the order of the accounts; of one moment. */
  readonly balances: (accounts: readonly AccountId[]) => Promise<readonly Balance[]>;
}
