import { z } from 'zod';

/** The JWS type of a signed head: what checks access tokens asks for `JWT`, and takes none of these. */
export const HEAD_TYPE = 'navbat-ledger+jws';

const number = z.string().regex(/^\d{1,19}$/);

/** What a day of Tashkent ended with, as it is signed and leaves the house. Whole numbers are strings: they may exceed 2^53. */
export const DayHead = z.strictObject({
  /** The project whose book it is. */
  book: z.uuid(),
  day: z.iso.date(),
  /** The last block of the day; 0 before the first. */
  k: number,
  /** The last transfer in it. */
  n_to: number,
  /** The hash of that block: SHA-256, hex. */
  head: z.string().regex(/^[0-9a-f]{64}$/),
  /** By class: credits less debits since the book began, in micros. */
  totals: z.record(z.string(), z.string().regex(/^-?\d{1,30}$/)),
});
export type DayHead = z.infer<typeof DayHead>;

/** Says whether a signed head is ours. */
export type HeadReading =
  | { readonly kind: 'valid'; readonly head: DayHead }
  | { readonly kind: 'unknown-key'; readonly kid: string }
  | { readonly kind: 'forged' };
export type ReadHead = (jws: string) => Promise<HeadReading>;

const OFFSET_MS = 5 * 3_600_000;
const DAY_MS = 86_400_000;

/** The day of Tashkent at that time: five hours ahead of UTC, without summer time since 1991, whatever the zone of this process. */
export const tashkentDay = (at: Date): string => dayOf(at.getTime() + OFFSET_MS);

/** The day that comes so many days after, or before where that is negative. */
export const dayAfter = (day: string, days = 1): string =>
  dayOf(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS);

/** The midnights of Tashkent between which the day is. */
export const beginningOfDay = (day: string): Date => new Date(Date.parse(`${day}T00:00:00Z`) - OFFSET_MS);
export const endOfDay = (day: string): Date => beginningOfDay(dayAfter(day));

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 'YYYY-MM-DD'.length);
