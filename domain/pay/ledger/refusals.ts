import type { TransferRefusal } from './port.ts';

interface State {
  /** Null: no answer to a transfer, but a fault of who called. */
  readonly refusal: TransferRefusal | null;
  /** What a route answers; null is a bug of ours, and ends as `internal`. */
  readonly problem: { readonly status: number; readonly type: string } | null;
}

/** The SQLSTATEs of the ledger's functions and triggers, in one table. Postgres gives each five signs; NB is ours. */
export const ledgerStates = {
  /** The floor or the ceiling of an account. */
  NB001: { refusal: 'insufficient', problem: { status: 422, type: 'insufficient' } },
  NB002: { refusal: 'key-reused', problem: { status: 422, type: 'idempotency-key-reused' } },
  /** No such account, no such book, or no such move between the classes of two accounts. */
  NB003: { refusal: 'no-such-move', problem: null },
  /** No list of transfers or accounts; a card number in a text; a commit that a crash could take back; not read committed. */
  NB004: { refusal: null, problem: null },
  /** A number is missing where a block is closed. */
  NB008: { refusal: null, problem: null },
  /** What the ledger holds would have been changed. */
  NB009: { refusal: null, problem: null },
} as const satisfies Readonly<Record<string, State>>;

const isLedgerState = (code: string): code is keyof typeof ledgerStates => Object.hasOwn(ledgerStates, code);

/** Of the state of a transfer in the answer of `ledger_post`, or of the SQLSTATE that `ledger_post_all` raised. */
export const refusalOf = (code: string): TransferRefusal | null =>
  isLedgerState(code) ? ledgerStates[code].refusal : null;
