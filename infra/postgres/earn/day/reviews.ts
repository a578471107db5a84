import type pg from 'pg';
import type {
  AppealCase,
  AppealEnd,
  AppealState,
  DayEnd,
  DayReviews,
  ReviewedSession,
} from '../../../../domain/earn/day/appeal.ts';
import { SessionId } from '../../../../domain/earn/ids.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import { type Page, type PageOrder, pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { refusing } from '../../pay/money-faults.ts';
import { appealColumns, appealOf, type AppealRow } from './appeals.ts';
import { keptColumns, keptDayOf, type KeptDayRow } from './kept-day.ts';

/** What staff do about days that rules did not simply pay. Each decision is one commit. */
export const dayReviews = (pool: pg.Pool, book: ProjectId): DayReviews => ({
  appeals: (state, order) => casesIn(pool, book, state, order),
  waiting: async ({ limit, after }) => {
    const { rows } = await pool.query<ReviewRow>(waiting, [book, after, limit + 1]);
    const sessions = [...Map.groupBy(rows, ({ session_id }) => session_id).values()];
    return pageOf(sessions.map(sessionOf), limit);
  },
  answer: (id, overturns, { staffId, answer }) =>
    orRefused(async (): Promise<AppealEnd> => {
      const { rows } = await refusing(
        pool.query<{ outcome: AnswerOutcome }>(end, [book, id, overturns, staffId, answer]),
      );
      const outcome = told(rows[0]?.outcome);
      return outcome === 'upheld' || outcome === 'overturned'
        ? { ok: true, state: outcome }
        : { ok: false, reason: outcome };
    }),
  decide: ({ sessionId, day, staffId, reason }, pays) =>
    orRefused(async () => {
      const { rows } = await refusing(
        pool.query<{ outcome: DecideOutcome }>(decide, [book, sessionId, day, pays, staffId, reason]),
      );
      const outcome = told(rows[0]?.outcome);
      if (outcome === 'posted') return { ok: false, reason: 'day-posted' };
      return outcome === 'decided' ? dayEnd(pool, book, sessionId, day) : { ok: false, reason: outcome };
    }),
  takeBack: ({ sessionId, day, staffId, reason }) =>
    orRefused(async () => {
      const { rows } = await refusing(pool.query(takeBack, [book, sessionId, day, staffId, reason]));
      const after = await dayEnd(pool, book, sessionId, day);
      if (rows.length > 0 || !after.ok || after.day.isTakenBack) return after;
      return { ok: false, reason: after.day.postedMicros > 0n ? 'day-given-again' : 'nothing-to-take' };
    }),
});

type AnswerOutcome = 'upheld' | 'overturned' | 'unknown-appeal' | 'appeal-ended' | 'day-paid';
type DecideOutcome = 'decided' | 'posted' | 'unknown-day';

function told<Outcome>(outcome: Outcome | undefined): Outcome {
  if (outcome === undefined) throw new Error('a day was decided and nothing was answered');
  return outcome;
}

/** A refusal is an answer; whatever else is thrown is a fault. */
async function orRefused<End extends AppealEnd | DayEnd>(
  work: () => Promise<End>,
): Promise<End | { readonly ok: false; readonly refusal: MoneyRefusedError['refusal'] }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MoneyRefusedError) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

async function dayEnd(pool: pg.Pool, book: ProjectId, sessionId: SessionId, day: string): Promise<DayEnd> {
  const { rows } = await pool.query<KeptDayRow>(one, [book, sessionId, day]);
  return rows[0] ? { ok: true, day: keptDayOf(rows[0]) } : { ok: false, reason: 'unknown-day' };
}

const end = 'select traffic_appeal_decide($1, $2, $3, $4, $5) as outcome';
const decide = 'select session_day_decide($1, $2, $3, $4, $5, $6) as outcome';
const takeBack = 'select taken, owed from session_day_take_back($1, $2, $3, $4, $5)';
const one = `
select ${keptColumns} from session_day d where d.project_id = $1 and d.session_id = $2 and d.day = $3::date`;

interface CaseRow extends KeptDayRow, AppealRow {
  readonly person_id: string;
  readonly ended_by: string | null;
}

const casesOf = `
select ${keptColumns}, ${appealColumns}, a.person_id, s.email as ended_by
from traffic_appeal a
join session_day d on d.session_id = a.session_id and d.day = a.day
left join staff s on s.id = a.ended_by
where a.project_id = $1 and a.state = $2`;
/** What waits longest is answered first. */
const openCases = `${casesOf} and ($3::uuid is null or a.id > $3) order by a.id limit $4`;
const endedCases = `${casesOf} and ($3::uuid is null or a.id < $3) order by a.id desc limit $4`;

async function casesIn(
  pool: pg.Pool,
  book: ProjectId,
  state: AppealState,
  { limit, after }: PageOrder,
): Promise<Page<AppealCase>> {
  const values = [book, state, after, limit + 1];
  const { rows } =
    state === 'open'
      ? await pool.query<CaseRow>(openCases, values)
      : await pool.query<CaseRow>(endedCases, values);
  return pageOf(rows.map(caseOf), limit);
}

function caseOf(row: CaseRow): AppealCase {
  const appeal = appealOf(row);
  if (!appeal) throw new Error('an appeal has no id');
  return { ...appeal, personId: row.person_id, day: keptDayOf(row), endedBy: row.ended_by };
}

interface ReviewRow extends KeptDayRow {
  readonly person_id: string;
}

/** A session has two days at most. */
const waiting = `
with found as materialized (
  select distinct x.session_id from session_day x
  where x.project_id = $1 and x.verdict = 'review' and ($2::uuid is null or x.session_id > $2) order by x.session_id limit $3)
select ${keptColumns}, d.person_id from found f join session_day d on d.session_id = f.session_id and d.verdict = 'review'
order by d.session_id, d.day`;

const sessionOf = (rows: readonly ReviewRow[]): ReviewedSession => {
  const [first] = rows;
  if (!first) throw new Error('a session in review has no day');
  return { id: SessionId.parse(first.session_id), personId: first.person_id, days: rows.map(keptDayOf) };
};
