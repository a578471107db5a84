/** Since 1992, without summer time. */
const TASHKENT_OFFSET = '+05:00';
const DAY_MS = 86_400_000;

/** What was posted from `from` on and before `to`; null is without an end. */
export interface Period {
  readonly from: Date | null;
  readonly to: Date | null;
}

/**
 * @param from a day of Tashkent (`2026-11-29`), from its beginning; or an instant with its offset.
 * @param to a day, to its end; or an instant, which is no part of the period.
 */
export const periodOf = (from: string | undefined, to: string | undefined): Period => ({
  from: from === undefined ? null : beginning(from),
  to: to === undefined ? null : isDay(to) ? new Date(beginning(to).getTime() + DAY_MS) : beginning(to),
});

const isDay = (edge: string) => !edge.includes('T');
const beginning = (edge: string) => new Date(isDay(edge) ? `${edge}T00:00:00${TASHKENT_OFFSET}` : edge);
