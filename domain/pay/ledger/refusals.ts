import type { TransferRefusal } from './port.ts';

/**
 * The SQLSTATEs of the ledger's functions and triggers, in one table, by what each is to a transfer. Null: no answer to one, but a fault
 * of who called. Postgres gives each five signs; NB is ours. No route posts yet. One that does answers the refusal that `Ledger` hands
 * it; whatever is thrown past that is a bug of ours, and ends as `internal`.
 */
const ledgerStates = {
  /** The floor or the ceiling of an account. */
  NB001: 'insufficient',
  NB002: 'key-reused',
  /** No such account, no such book, or no such move between the classes of two accounts. */
  NB003: 'no-such-move',
  /** No list of transfers or accounts; a card number in a text; a commit that a crash could take back; not read committed. */
  NB004: null,
  /** A number is missing where a block is closed. */
  NB008: null,
  /** What the ledger holds would have been changed. */
  NB009: null,
} as const satisfies Readonly<Record<string, TransferRefusal | null>>;

const isLedgerState = (code: string): code is keyof typeof ledgerStates => Object.hasOwn(ledgerStates, code);

/** Of the state of a transfer in the answer of `ledger_post`, or of the SQLSTATE that `ledger_post_all` raised. */
export const refusalOf = (code: string): TransferRefusal | null =>
  isLedgerState(code) ? ledgerStates[code] : null;
