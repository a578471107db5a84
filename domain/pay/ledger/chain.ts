import type { DayHead } from './head.ts';

/** A block is closed when it is full, or its oldest transfer has waited so long: what is in no block yet may be changed unseen. */
export const BLOCK_AGE_MS = 60_000;

/** How far the chain of one book is. */
export interface ChainOfBook {
  readonly book: string;
  /** Transfers that are in no block yet. */
  readonly open: number;
  /** When the oldest of them was posted. */
  readonly openSince: Date | null;
  readonly closedAt: Date | null;
  /** The day of Tashkent that is to be signed next; it may not be over. */
  readonly nextDay: string;
}

export interface Chain {
  /** Blocks that one `close` makes at most. */
  readonly blocksMax: number;
  /** @param today the day of Tashkent: a book without transfers begins with the one before. */
  readonly books: (today: string) => Promise<readonly ChainOfBook[]>;
  /**
   * Closes full blocks, and with `all` what is left too; no block goes over midnight in Tashkent. Answers how many it made: none where
   * somebody else does.
   */
  readonly close: (book: string, all: boolean) => Promise<number>;
  /** What the day ended with; null where it is not over, not all in blocks, or written already. No later transfer is of that day. */
  readonly endDay: (book: string, day: string) => Promise<Omit<DayHead, 'book' | 'day'> | null>;
  /** False where somebody else wrote it. */
  readonly write: (book: string, day: string, jws: string) => Promise<boolean>;
}

export type Sink = 'chat' | 'witness';

/** A head on its way out. */
export interface OutgoingHead {
  readonly book: string;
  readonly day: string;
  readonly nTo: string;
  readonly jws: string;
}

/** Which heads are still to be sent. */
export interface HeadOutbox {
  /** The newest that is due there; nobody else gets it for a while. */
  readonly claim: (sink: Sink) => Promise<OutgoingHead | null>;
  readonly sent: (sink: Sink, head: OutgoingHead) => Promise<void>;
}
