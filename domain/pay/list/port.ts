import type { MoneyRefusal } from '../refusals.ts';
import type { ListRail } from './limits.ts';
import type { ListLine } from './read-list.ts';

/** A list that was read without a fault. */
export interface ListOrder {
  /** Who imports it: they can't approve what it pays. */
  readonly staffId: string;
  /** Their Idempotency-Key. */
  readonly key: string;
  /** The project whose money pays it. */
  readonly funder: string;
  readonly name: string;
  readonly rail: ListRail;
  /** Of the file. */
  readonly sha256: Buffer;
  readonly lines: readonly ListLine[];
  /** In tiyin. */
  readonly total: bigint;
  /** Whether lines that a list of the last 90 days pays are imported too. */
  readonly repeats: 'allowed' | 'refused';
  readonly at: Date;
}

export type ListImported =
  | { readonly ok: true; readonly id: string; readonly repeated: boolean }
  | {
      readonly ok: false;
      readonly refusal:
        | MoneyRefusal
        | { readonly kind: 'funds-missing'; readonly tiyin: bigint }
        | { readonly kind: 'repeats'; readonly lines: readonly RepeatedLine[] };
    };

/** A line that pays what another list paid the same phone within the last 90 days. */
export interface RepeatedLine {
  readonly line: number;
  readonly list: string;
  readonly at: Date;
}

export interface ListView {
  readonly id: string;
  readonly name: string;
  readonly funder: string;
  readonly rail: string;
  readonly sha256: Buffer;
  readonly lines: number;
  readonly total: bigint;
  readonly importedBy: string;
  readonly at: Date;
  /** How many of its payouts are in which state. */
  readonly states: Readonly<Record<string, number>>;
  /** Of its payees who are waited for: how many have a link, how many are sent one now, and how many nobody reaches. */
  readonly links: { readonly sent: number; readonly waiting: number; readonly unreachable: number };
}

export interface ListedPayout {
  readonly id: string;
  readonly line: number;
  readonly phone: string;
  readonly name: string;
  readonly purpose: string;
  readonly amount: bigint;
  readonly state: string;
  readonly reason: string | null;
  /** 0 to 100: the name on the card against that of the list; null where no card is bound, or the rail tells no name. */
  readonly nameScore: number | null;
  readonly nameOnCard: string | null;
  readonly last4: string | null;
  /** Of the latest link; null where none was made. */
  readonly link: {
    /** Null until it has left. */
    readonly channel: string | null;
    readonly sentAt: Date | null;
    /** When nobody was found who takes it. */
    readonly failedAt: Date | null;
    /** Why it reached nobody, or what its provider said of it later; null where nothing has to be said. */
    readonly reason: string | null;
    readonly isReminder: boolean;
    readonly openedAt: Date | null;
    readonly usedAt: Date | null;
    readonly expiresAt: Date;
  } | null;
}

export interface Lists {
  /** All of its lines, each with its hold, or nothing. Of two at once each sees what the other pays. */
  import(order: ListOrder): Promise<ListImported>;
  repeats(lines: readonly ListLine[], now: Date): Promise<readonly RepeatedLine[]>;
  /** What a project may still pay out, in tiyin. */
  funds(funder: string): Promise<bigint>;
  page(
    after: string | null,
    limit: number,
  ): Promise<{ readonly rows: readonly ListView[]; readonly hasMore: boolean }>;
  find(id: string): Promise<ListView | null>;
  /** In the order of the file. */
  payouts(
    list: string,
    after: number,
    limit: number,
  ): Promise<{ readonly rows: readonly ListedPayout[]; readonly hasMore: boolean }>;
}
