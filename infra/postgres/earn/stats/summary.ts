import type pg from 'pg';
import { closableDay } from '../../../../domain/earn/day/day.ts';
import type { Summaries, SummedDay } from '../../../../domain/earn/stats/port.ts';
import { dayAfter, tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { idFloor } from '../../job/filter.ts';

const WEEK_DAYS = 7;
/** As many as close in one round: more wait only after weeks without a reconciler. */
const WAITING_MAX = 31;

/** What all people of one book come to. */
export const summaries = (pool: pg.Pool, book: ProjectId): Summaries => ({
  read: async (now) => {
    const today = tashkentDay(now);
    const weekAgo = new Date(now.getTime() - WEEK_DAYS * 86_400_000);
    const summed = (from: string) => pool.query<SummedRow>(sumDays, [book, from, today]);
    const [counts, ofToday, ofWeek, waiting, review, open, recent] = await Promise.all([
      pool.query<CountsRow>(readCounts, [book]),
      summed(today),
      summed(dayAfter(today, 1 - WEEK_DAYS)),
      pool.query<WaitingRow>(readWaiting, [book, closableDay(now), WAITING_MAX]),
      pool.query<ReviewRow>(readReview, [book]),
      pool.query<WithdrawalRow>(readOpen, [book]),
      pool.query<WithdrawalRow>(readRecent, [book, idFloor(weekAgo), weekAgo]),
    ]);
    return {
      people: counts.rows[0]?.people ?? 0,
      openSessions: counts.rows[0]?.open_sessions ?? 0,
      openAppeals: counts.rows[0]?.open_appeals ?? 0,
      today: summedOf(ofToday.rows[0]),
      lastWeek: summedOf(ofWeek.rows[0]),
      daysWaiting: waiting.rows,
      inReview: { days: review.rows[0]?.days ?? 0, amount: BigInt(review.rows[0]?.amount ?? 0) },
      openWithdrawals: open.rows.map(countOf),
      recentWithdrawals: recent.rows.map(countOf),
    };
  },
});

interface CountsRow {
  readonly people: number;
  readonly open_sessions: number;
  readonly open_appeals: number;
}

const readCounts = `
select (select count(*)::int from recipient r join person p on p.id = r.person_id and p.mode = 'live' where r.project_id = $1) as people,
  (select count(*)::int from traffic_session s where s.project_id = $1 and s.ended_at is null) as open_sessions,
  (select count(*)::int from traffic_appeal a where a.project_id = $1 and a.state = 'open') as open_appeals`;

interface SummedRow {
  readonly people: number;
  readonly sessions: number;
  readonly mb: string;
  readonly amount: string;
  readonly review: string;
}

const summedOf = (row: SummedRow | undefined): SummedDay => ({
  people: row?.people ?? 0,
  sessions: row?.sessions ?? 0,
  mb: Number(row?.mb ?? 0),
  amount: BigInt(row?.amount ?? 0),
  review: BigInt(row?.review ?? 0),
});

const sumDays = `
select count(distinct d.person_id)::int as people, count(distinct d.session_id)::int as sessions,
  floor(coalesce(sum(d.bytes), 0) / 1000000.0)::bigint::text as mb,
  floor(coalesce(sum(d.micros - d.taken_micros + d.given_micros) filter (where d.verdict = 'pay'), 0) / 10000.0)::bigint::text as amount,
  floor(coalesce(sum(d.micros) filter (where d.verdict = 'review'), 0) / 10000.0)::bigint::text as review
from session_day d where d.project_id = $1 and d.day between $2::date and $3::date`;

interface WaitingRow {
  readonly day: string;
  readonly people: number;
}

const readWaiting = `
select d.day::text as day, count(distinct d.person_id)::int as people from session_day d
where d.project_id = $1 and d.closed_at is null and d.day <= $2::date group by 1 order by 1 limit $3`;

interface ReviewRow {
  readonly days: number;
  readonly amount: string;
}

const readReview = `
select count(*)::int as days, floor(coalesce(sum(d.micros), 0) / 10000.0)::bigint::text as amount
from session_day d where d.project_id = $1 and d.verdict = 'review'`;

interface WithdrawalRow {
  readonly state: string;
  readonly count: number;
  readonly gross: string;
}

const countOf = ({ state, count, gross }: WithdrawalRow) => ({ state, count, gross: BigInt(gross) });

const byState = (which: string) => `
select p.state, count(*)::int as count, sum(p.gross)::text as gross from payout p
where p.project_id = $1 and p.source = 'withdrawal' and ${which} group by 1 order by 1`;

const readOpen = byState(`p.state in ('confirming', 'awaiting-card', 'pending', 'batched')`);

/** By their ids, which carry the time: nothing is read of those before. */
const readRecent = byState('p.id >= $2 and p.created_at >= $3');
