import { dayAfter, tashkentDay } from '../../pay/ledger/head.ts';

/** The day of Tashkent that traffic counts to; the third after it, it is closed. */
const CLOSES_AFTER_DAYS = 3;

const TASHKENT_MS = 5 * 3_600_000;

/** When a day of Tashkent begins: five hours before it does in UTC. */
export const dayBegins = (day: string): Date => new Date(Date.parse(`${day}T00:00:00Z`) - TASHKENT_MS);

/** From then on nothing that is received counts to the day: 00:00 in Tashkent, three days after it began. */
export const closesAt = (day: string): Date => dayBegins(dayAfter(day, CLOSES_AFTER_DAYS));

/** The newest day that may be closed: its reports had their time, and five minutes more to be metered. */
export const closableDay = (now: Date): string =>
  dayAfter(tashkentDay(new Date(now.getTime() - METERED_WITHIN_MS)), -CLOSES_AFTER_DAYS);

/** 00:05, so that what came in the last second is metered. */
const METERED_WITHIN_MS = 5 * 60_000;
