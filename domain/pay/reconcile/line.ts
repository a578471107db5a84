import { z } from 'zod';

/** A line of a rail's statement: money that left our wallet there, or came back. Amounts in tiyin. */
export interface RailLine {
  /** One line of this rail for ever: the rail's own id of it, or what only this line has. */
  readonly key: string;
  readonly direction: 'out' | 'back';
  /** The rail's id of the payment, where it has one. */
  readonly uuid: string | null;
  /** Ours, read off the line exactly. */
  readonly reference: string | null;
  readonly amount: bigint;
  /** What the rail took for it. */
  readonly commission: bigint;
  readonly at: Date;
  /** The account of a bank that it was paid into, in digits; a rail of cards names none. */
  readonly account?: string;
}

export const lineTotal = ({ amount, commission }: Pick<RailLine, 'amount' | 'commission'>): bigint =>
  amount + commission;

/**
 * What a line is to what we know.
 *
 * - `matched`: of a payment of ours, to the tiyin. `late`: likewise, of a day whose head is signed already; it is posted today.
 * - `returned`: a payment of ours came back.
 * - `early`: of a payment of ours that we do not know to be paid yet; or what came back by a file of one person, until another agrees. It is
 *   looked at again.
 * - The others are differences, and move nothing.
 */
export const LineBucket = z.enum([
  'matched',
  'late',
  'returned',
  'early',
  'amount-differs',
  'payee-differs',
  'only-theirs',
  'duplicate',
  'paid-though-failed',
]);
export type LineBucket = z.infer<typeof LineBucket>;

/** Those of which nobody has to do anything. */
const settledBuckets: readonly LineBucket[] = ['matched', 'late', 'returned', 'early'];
export const isDifference = (bucket: LineBucket): boolean => !settledBuckets.includes(bucket);

/** Money has left twice, against our word, or to somebody else: until somebody has looked, nothing more leaves by this rail. */
export const stopsRail = (bucket: LineBucket): boolean =>
  bucket === 'duplicate' || bucket === 'paid-though-failed' || bucket === 'payee-differs';
