import { z } from 'zod';

/** How every time in an answer or an event is written: RFC 3339 in UTC with milliseconds, `2026-01-15T10:00:00.000Z`. */
export const Time = z.iso.datetime({ precision: 3 });

const DAY_MS = 86_400_000;

/** The UTC day by which budgets count, as YYYY-MM-DD. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 'YYYY-MM-DD'.length);

/** When the day ends by which budgets count. */
export const nextUtcDay = (now: Date): Date => new Date(Math.floor(now.getTime() / DAY_MS) * DAY_MS + DAY_MS);
