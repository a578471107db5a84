import type { Page, PageOrder } from '../../shared/page.ts';
import type { RailId } from '../ids.ts';
import type { MoneyRefusal } from '../refusals.ts';
import type { HeldBooks, InFlight, RailBooks } from './equation.ts';
import type { LineBucket } from './line.ts';
import type { StatedLine } from './read-lines.ts';

/** What a rail said: a file that somebody uploaded, or what it answered. */
export interface StatementSource {
  readonly rail: RailId;
  readonly from: Date;
  readonly to: Date;
  readonly lines: readonly StatedLine[];
  /** Of an uploaded file: its SHA-256, and by whom. */
  readonly file: { readonly sha256: Buffer; readonly by: string } | null;
}

export interface BucketSum {
  readonly bucket: LineBucket;
  readonly lines: number;
  /** With the rail's charge, in tiyin. */
  readonly total: bigint;
}

/** A line that does not fit. */
export interface OddLine {
  readonly bucket: LineBucket;
  readonly direction: 'out' | 'back';
  readonly total: bigint;
  readonly at: Date;
  readonly says: string | null;
  readonly reference: string | null;
  readonly payoutId: string | null;
  /** Payouts whose line it may be. */
  readonly suggestions: readonly string[];
}

export interface ImportReport {
  /** Null where nothing was written. */
  readonly statementId: string | null;
  /** This very file was imported before. */
  readonly repeated: boolean;
  /** Lines that are new, or were early and are not any more. */
  readonly changed: number;
  /** What all lines of this statement are now. */
  readonly buckets: readonly BucketSum[];
  /** At most so many of the new ones as a person looks at. */
  readonly odd: readonly OddLine[];
  /** Rails that were stopped because of it. */
  readonly stopped: readonly string[];
}

export interface StatementRow {
  readonly id: string;
  readonly rail: string;
  readonly from: Date;
  readonly to: Date;
  readonly at: Date;
  readonly importedBy: string | null;
  readonly sha256: string | null;
  readonly buckets: readonly BucketSum[];
  /** What another person is to agree to: lines that came back. Null: there is nothing, or somebody has. */
  readonly toAgree: { readonly count: number; readonly total: bigint } | null;
}

export const differenceBuckets = [
  'amount-differs',
  'payee-differs',
  'only-theirs',
  'duplicate',
  'paid-though-failed',
  'only-ours',
  'wallet',
  'clearing',
  'held',
  'balance',
] as const;
export type DifferenceBucket = (typeof differenceBuckets)[number];

export interface Difference {
  readonly id: string;
  readonly rail: string;
  readonly bucket: DifferenceBucket;
  /** Tiyin: of the line, of the payment, or by how much an equation is wrong. */
  readonly amount: bigint;
  readonly payoutId: string | null;
  readonly dispatchId: string | null;
  readonly suggestions: readonly string[];
  /** Of its line. */
  readonly says: string | null;
  readonly foundAt: Date;
  readonly owner: string | null;
  /** Why it is so; null: no new batch of the rail begins. */
  readonly note: string | null;
  readonly closedAt: Date | null;
  /** Null where it is open, or went by itself. */
  readonly closedBy: string | null;
}

export interface DifferenceFilter {
  readonly open?: boolean | undefined;
  readonly rail?: string | undefined;
  readonly bucket?: DifferenceBucket | undefined;
}

export type DifferenceAct =
  | { readonly kind: 'own' }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'close'; readonly text: string | null };

export type Acted =
  | { readonly ok: true; readonly difference: Difference }
  | { readonly ok: false; readonly refusal: MoneyRefusal };

export type Agreed = { readonly ok: true } | { readonly ok: false; readonly refusal: MoneyRefusal };

/** All books of one moment. */
export interface Books {
  readonly at: Date;
  readonly rails: readonly RailBooks[];
  readonly held: HeldBooks;
}

export interface Statements {
  /** One commit, or with `dryRun` none. @throws MoneyRefusedError: `content-differs` where a payment changed meanwhile, `busy`. */
  readonly import: (source: StatementSource, options: { readonly dryRun: boolean }) => Promise<ImportReport>;
  /** To what a file of another person says came back; its lines then move money. @param proofId over the file, the count of these lines, their sum. */
  readonly agree: (id: string, staffId: string, proofId: string) => Promise<Agreed>;
  readonly list: (rail: RailId | null, order: PageOrder) => Promise<Page<StatementRow>>;
}

export interface Differences {
  readonly list: (filter: DifferenceFilter, order: PageOrder) => Promise<Page<Difference>>;
  readonly act: (id: string, staffId: string, act: DifferenceAct) => Promise<Acted>;
  /** Payments that are paid for long and in no statement. Answers how many are new. */
  readonly findOnlyOurs: () => Promise<number>;
  /** @param by null: the equation holds. Answers whether it is a new difference. */
  readonly ofEquation: (
    rail: string,
    equation: 'wallet' | 'clearing' | 'held',
    by: bigint | null,
  ) => Promise<boolean>;
  /** Rails that stop because money left twice, or against our word; each once. */
  readonly stopRails: () => Promise<readonly string[]>;
  readonly openCount: () => Promise<ReadonlyMap<string, number>>;
}

export interface EquationReads {
  readonly books: () => Promise<Books>;
  /** Of a rail: in flight now, or paid since then. */
  readonly movedSince: (rail: string, since: Date) => Promise<readonly InFlight[]>;
}
