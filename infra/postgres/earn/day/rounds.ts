import type pg from 'pg';
import type { DayRounds } from '../../../../domain/earn/day/port.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';

/** People of one call: what one post of the ledger takes, some tenths of a second of the book. */
const PEOPLE_MAX = 1_000;
/** Days of one call: more are open only after weeks without a reconciler, or where somebody's can't be metered. */
const DAYS_MAX = 31;

export const dayRounds = (pool: pg.Pool, book: ProjectId): DayRounds => ({
  open: async (upTo, after) => {
    const { rows } = await pool.query<{ day: string }>(openDays, [book, upTo, DAYS_MAX, after ?? null]);
    return rows.map(({ day }) => day);
  },
  close: async (day, after) => {
    const { rows } = await pool.query<{ person: string }>(close, [book, day, after, PEOPLE_MAX]);
    return { people: rows.length, next: rows.length < PEOPLE_MAX ? null : (rows.at(-1)?.person ?? null) };
  },
});

const openDays = `
select distinct d.day::text as day from session_day d
where d.project_id = $1 and d.closed_at is null and d.day <= $2::date and ($4::date is null or d.day > $4) order by 1 limit $3`;

const close = `select person from day_close($1, $2, $3, $4) order by person`;
