import type { AccountId } from './accounts.ts';
import type { Period } from './period.ts';

/** What an account is, and whose. */
export interface AccountOwner {
  readonly class: string;
  /** A person or a project; null where it is the book's, or a rail's. */
  readonly owner: string | null;
  readonly rail: string | null;
}

export interface AccountView extends AccountOwner {
  readonly id: AccountId;
  /** What was credited less what was debited, in micros. */
  readonly balance: bigint;
  readonly floor: bigint | null;
  readonly ceiling: bigint | null;
  /** How many transfers have moved it. */
  readonly transfers: bigint;
}

export interface AccountFilter {
  readonly class?: string | undefined;
  readonly owner?: string | undefined;
  readonly rail?: string | undefined;
}

/** A part of a book that can't change any more: numbers are dense, given in the order of the commits, and never given later. */
export interface StatementSpan {
  readonly account: AccountId;
  /** Of the last transfer before it, of whatever account. */
  readonly after: bigint;
  /** Of the last one in it, of whatever account. */
  readonly upTo: bigint;
}

export interface Statement extends StatementSpan {
  readonly opening: bigint;
  readonly closing: bigint;
}

/** One transfer as one of its accounts sees it. Amounts are micros. */
export interface StatementLine {
  readonly n: bigint;
  readonly kind: string;
  readonly key: string;
  /** Credited: positive; debited: negative. */
  readonly amount: bigint;
  readonly before: bigint;
  readonly after: bigint;
  readonly other: AccountOwner & { readonly id: AccountId };
  readonly subjectId: string | null;
  /** With the microseconds that it was kept with. */
  readonly eventAt: string;
  readonly postedAt: string;
  readonly actor: string;
}

/** What a day of Tashkent ended with, and whether it has left the house. */
export interface ClosedDay {
  readonly day: string;
  readonly block: bigint;
  /** The last transfer of it. */
  readonly upTo: bigint;
  /** By class, since the book began, in micros. */
  readonly totals: readonly { readonly class: string; readonly balance: bigint }[];
  /** The hash of that block, in hex. */
  readonly head: string;
  readonly jws: string;
  readonly chatSentAt: Date | null;
  readonly witnessSentAt: Date | null;
}

interface Rows<Row> {
  readonly rows: readonly Row[];
  readonly hasMore: boolean;
}

/** One book, as finance reads it. */
export interface LedgerReads {
  /** In the order of their ids. */
  readonly accounts: (
    filter: AccountFilter,
    page: { readonly after: AccountId | null; readonly limit: number },
  ) => Promise<Rows<AccountView>>;
  readonly account: (id: AccountId) => Promise<AccountView | null>;
  /** @param upTo the number with which an earlier answer ended; null for the newest there is. */
  readonly statement: (account: AccountId, period: Period, upTo: bigint | null) => Promise<Statement>;
  /** In the order of their numbers. */
  readonly lines: (span: StatementSpan, limit: number) => Promise<Rows<StatementLine>>;
  /** How many they are, counted no further than `max`. */
  readonly countLines: (span: StatementSpan, max: number) => Promise<number>;
  /** The newest first. */
  readonly days: (page: {
    readonly after: string | null;
    readonly limit: number;
  }) => Promise<Rows<ClosedDay>>;
}
