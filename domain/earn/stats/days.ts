import { dayAfter } from '../../pay/ledger/head.ts';

/** Of one answer: a year, and the day a year ago to compare with. All days of a person in it are read. */
export const STATS_DAYS_MAX = 366;
/** Where nobody says from when. */
export const STATS_DAYS_DEFAULT = 30;

const DAY_MS = 86_400_000;

/** Days of Tashkent, both included. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

interface DaysFault {
  readonly ok: false;
  /** Which of the two is wrong. */
  readonly field: 'from' | 'to';
  readonly expected: string;
}

/**
 * The days that somebody asks for: up to today, and the last thirty, where they do not say.
 *
 * @param today in Tashkent.
 */
export function daysAsked(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  today: string,
): { readonly ok: true; readonly days: Days } | DaysFault {
  const last = to ?? today;
  const days = { from: from ?? dayAfter(last, 1 - STATS_DAYS_DEFAULT), to: last };
  const count = (Date.parse(days.to) - Date.parse(days.from)) / DAY_MS + 1;
  if (count < 1)
    return { ok: false, field: 'from', expected: `expected a day that is not after \`to\`, ${days.to}` };
  if (count > STATS_DAYS_MAX)
    return {
      ok: false,
      field: 'from',
      expected: `expected at most ${STATS_DAYS_MAX} days: ${dayAfter(days.to, 1 - STATS_DAYS_MAX)} or later`,
    };
  return { ok: true, days };
}
