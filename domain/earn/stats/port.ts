import type { Days } from './days.ts';

/** What some days of sessions come to. Amounts are tiyin, rounded down once. */
export interface Figures {
  /** Sessions of which bytes count to these days. */
  readonly sessions: number;
  /** What the phones reported. */
  readonly bytes: number;
  /** Of them, those that are paid with the close of their day, or were. */
  readonly paidBytes: number;
  /** What these earn, less what was taken back. */
  readonly amount: bigint;
  /** What a person looks at first. */
  readonly review: bigint;
}

export interface DayFigures extends Figures {
  readonly day: string;
  readonly tiyinPerMb: number;
  /** Its money is in the ledger. */
  readonly isClosed: boolean;
}

export interface RangeFigures extends Figures {
  /** Days on which traffic counts. */
  readonly days: number;
}

export interface DeviceFigures extends Figures {
  readonly installationId: string;
  /** The last of the days on which it shared. */
  readonly lastDay: string;
}

export interface CountryFigures extends Figures {
  /** ISO 3166-1 alpha-2, of the address with which sessions began; null where nobody knows it. */
  readonly country: string | null;
}

interface Rows<Row> {
  readonly rows: readonly Row[];
  readonly hasMore: boolean;
}

interface Slice {
  /** What the last row of the page before is known by; null: from the first one. */
  readonly after: string | null;
  readonly limit: number;
}

/** A person's own traffic, by whole days of Tashkent. */
export interface Stats {
  /** Newest first; `after` is a day. */
  readonly daily: (personId: string, days: Days, slice: Slice) => Promise<Rows<DayFigures>>;
  readonly range: (personId: string, days: Days) => Promise<RangeFigures>;
  /** In the order of their ids. */
  readonly devices: (personId: string, days: Days, slice: Slice) => Promise<Rows<DeviceFigures>>;
  /** What is unknown first, then by the letters of the code; `after`: `''` of what is unknown. */
  readonly countries: (personId: string, days: Days, slice: Slice) => Promise<Rows<CountryFigures>>;
}

/** What an admin sees of all people at once. */
export interface Summary {
  /** Who has signed in to the project. */
  readonly people: number;
  readonly openSessions: number;
  readonly today: SummedDay;
  /** Seven days of Tashkent, today among them. */
  readonly lastWeek: SummedDay;
  /** Days that could be closed and are not, the oldest first. */
  readonly daysWaiting: readonly { readonly day: string; readonly people: number }[];
  /** Days of sessions that wait for a person. */
  readonly inReview: { readonly days: number; readonly amount: bigint };
  /** Of days, that nobody has answered. */
  readonly openAppeals: number;
  /** Withdrawals that are open, whenever they were asked for. */
  readonly openWithdrawals: readonly WithdrawalCount[];
  /** Those that were asked for in the last seven days of 24 hours, in whatever state they are. */
  readonly recentWithdrawals: readonly WithdrawalCount[];
}

export interface SummedDay {
  readonly people: number;
  readonly sessions: number;
  /** Of 10^6 bytes, rounded down. */
  readonly mb: number;
  readonly amount: bigint;
  readonly review: bigint;
}

interface WithdrawalCount {
  readonly state: string;
  readonly count: number;
  /** In tiyin, with our fee. */
  readonly gross: bigint;
}

export interface Summaries {
  readonly read: (now: Date) => Promise<Summary>;
}
