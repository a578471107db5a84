import type pg from 'pg';
import {
  type Appeal,
  AppealId,
  type AppealMade,
  type Appeals,
  type AppealState,
} from '../../../../domain/earn/day/appeal.ts';
import { Locale, LOCALE_DEFAULT } from '../../../../domain/shared/locale.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { keptColumns, keptDayOf, type KeptDayRow } from './kept-day.ts';

/** What people ask of their own days. */
export const appeals = (pool: pg.Pool, book: ProjectId): Appeals => ({
  days: async ({ personId, recipientId, sessionId, day }) => {
    const { rows } = await pool.query<AppealedRow>(days, [book, personId, sessionId, day, recipientId]);
    return {
      locale: Locale.catch(LOCALE_DEFAULT).parse(rows[0]?.locale),
      days: rows.map((row) => ({ day: keptDayOf(row), appeal: appealOf(row) })),
    };
  },
  make: async ({ personId, sessionId, day, text }) => {
    const { rows } = await pool.query<MadeRow>(make, [book, personId, sessionId, day, text]);
    const [row] = rows;
    if (!row) throw new Error('an appeal was made and nothing was answered');
    return row.outcome === 'appealed-now' ? { ok: true } : { ok: false, reason: row.outcome };
  },
});

/** Null where nobody appealed. */
export interface AppealRow {
  readonly appeal_id: string | null;
  readonly state: AppealState | null;
  readonly text: string | null;
  readonly asked_at: Date | null;
  readonly ended_at: Date | null;
  readonly answer: string | null;
}

/** Of `traffic_appeal a`. */
export const appealColumns = 'a.id as appeal_id, a.state, a.text, a.asked_at, a.ended_at, a.answer';

export function appealOf(row: AppealRow): Appeal | null {
  const { appeal_id: id, state, text, asked_at: askedAt, ended_at: endedAt, answer } = row;
  if (id === null || state === null || askedAt === null) return null;
  return { id: AppealId.parse(id), state, text, askedAt, endedAt, answer };
}

interface AppealedRow extends KeptDayRow, AppealRow {
  readonly locale: string | null;
}

const days = `
select ${keptColumns}, ${appealColumns},
  coalesce((select r.locale from recipient r where r.id = $5 and r.project_id = $1), p.settings ->> 'locale') as locale
from session_day d
join project p on p.id = d.project_id
left join traffic_appeal a on a.session_id = d.session_id and a.day = d.day
where d.project_id = $1 and d.person_id = $2 and d.session_id = $3 and ($4::date is null or d.day = $4) order by d.day`;

interface MadeRow {
  readonly outcome: 'appealed-now' | Extract<AppealMade, { ok: false }>['reason'];
}

const make = 'select traffic_appeal_make($1, $2, $3, $4, $5) as outcome';
