import { z } from 'zod';

/** In the order in which money goes: what was asked, who let it go, how it went, what the rail told of it, and the book. */
export const PARTS = ['asked', 'hands', 'calls', 'statement', 'money'] as const;
export type Part = (typeof PARTS)[number];

/** `unknown-key`: signed by a key that this installation does not have. */
export type SignatureProof = 'holds' | 'does-not-hold' | 'unknown-key';

/** Whether the block of a transfer is still what was closed. */
export interface ChainProof {
  readonly block: string;
  readonly holds: boolean;
  readonly differences: readonly string[];
  /** The day whose signed head stands on this block; null: it is not signed yet. */
  readonly day: string | null;
  /** Whether that head is what a key of ours has signed, and ends with the block that is there; null: it is not signed yet. */
  readonly signature: SignatureProof | null;
}

/** One row of the database that says something of a payment. */
export interface ExplainedRow {
  readonly part: Part;
  readonly table: string;
  /** What it is selected by. */
  readonly key: Readonly<Record<string, string | number>>;
  readonly at: Date | null;
  readonly says: string;
  /** Of a transfer. Null: it is in no block yet. */
  readonly chain?: ChainProof | null;
}

export interface PaymentExplanation {
  readonly payouts: readonly string[];
  /** A file of a bank pays more than are shown. */
  readonly more: boolean;
  readonly rows: readonly ExplainedRow[];
}

/** What a payment is named by: `id` of a payout or dispatch, or what the rail calls it; or a line of a batch. */
export type PaymentName =
  | { readonly kind: 'id' | 'reference'; readonly text: string }
  | { readonly kind: 'item'; readonly batch: string; readonly n: number };

const ITEM = /^([0-9a-f-]{36}):([1-9]\d{0,8})$/i;
/** As a rail knows a dispatch: its id with the number of a draft; or the rail's own, which has no form of ours. */
const Reference = z.string().regex(/^[!-~]{6,100}$/);

export function paymentName(text: string): PaymentName | null {
  const [, batch, n] = ITEM.exec(text) ?? [];
  if (z.uuid().safeParse(batch).success) return { kind: 'item', batch: batch ?? '', n: Number(n) };
  if (z.uuid().safeParse(text).success) return { kind: 'id', text };
  return Reference.safeParse(text).success ? { kind: 'reference', text } : null;
}
