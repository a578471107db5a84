import { beginningOfDay } from './head.ts';

/** In 10^-6 s since 1970, as exact as a transfer's time: a Date would lose the last three digits. */
type Instant = bigint;

const DAY = 86_400_000_000n;
/** Of a second, in the time of a transfer. */
const SECOND_DIGITS_MAX = 6;

/** What was posted from `from` on and before `to`; null is without an end. */
export interface Period {
  readonly from: Instant | null;
  readonly to: Instant | null;
}

/**
 * @param from a day of Tashkent (`2026-11-29`), from its beginning; or an instant with its offset.
 * @param to a day, to its end; or an instant, which is no part of the period.
 */
export const periodOf = (from: string | undefined, to: string | undefined): Period => ({
  from: from === undefined ? null : isDay(from) ? instantOf(beginningOfDay(from)) : exactly(from),
  to: to === undefined ? null : isDay(to) ? instantOf(beginningOfDay(to)) + DAY : exactly(to),
});

const isDay = (edge: string) => !edge.includes('T');
const instantOf = (at: Date): Instant => BigInt(at.getTime()) * 1_000n;

/** With further digits it is the next of these: what is before that, or from it on, is the same. A Date has the first three. */
function exactly(edge: string): Instant {
  const digits = /[.](\d+)/.exec(edge)?.[1] ?? '';
  const micros = BigInt(digits.padEnd(SECOND_DIGITS_MAX, '0').slice(3, SECOND_DIGITS_MAX));
  const further = /[1-9]/.test(digits.slice(SECOND_DIGITS_MAX)) ? 1n : 0n;
  return instantOf(new Date(edge)) + micros + further;
}
