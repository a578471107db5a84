import type pg from 'pg';
import { definitionOf, type JobRegistry } from '../../../domain/job/define-job.ts';
import type { EntryLabels } from '../../../domain/job/job.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { DueEntry } from '../../queue/entries.ts';
import { HELD } from './held.ts';
import { eachPriority } from './priorities.ts';
import { answerCalls } from './turn-requests.ts';

/** SQL of a kind whose jobs do not wait by priority and time alone. */
export interface Line {
  /** How many more jobs of the project `t.project_id` may be scheduled; default: as many as there is room for. */
  readonly room?: string;
  readonly pick?: LinePick;
}

/** Parts of a round's statement, in their order. `$1` is the kind, `$2` the room, `$3` the time. */
export interface LinePick {
  /** Reads `turns` and `share`; ends with `chosen (project_id, id, rank, …)`. */
  readonly chosen: string;
  /** Reads `picked`, the chosen jobs that could be locked. It waits for no lock: what somebody holds is left to them. */
  readonly locked: string;
  /** When the next job of the project `t.project_id` is due; null where none waits. */
  readonly nextAt: string;
  /** Projects in whose line places stand for which nothing is due, as `uuid[]`. */
  readonly passed: string;
  /** Takes those places out of the line, many at a time. */
  readonly passOver: (pool: pg.Pool, projectIds: readonly string[], now: Date) => Promise<void>;
}

/** By kind. A kind that is not named has the line by project. */
export type Lines = Readonly<Record<string, Line>>;

interface ScheduledRow {
  /** Null where nothing was scheduled: what is told of the round stands on each row. */
  readonly id: JobId | null;
  readonly kind: string;
  readonly labels: EntryLabels;
  readonly run_at: Date;
  readonly outbox_id: string;
  readonly more: boolean;
  readonly passed: readonly string[];
  readonly idle: boolean;
}

export interface Scheduled {
  /** Null where nothing was scheduled. */
  readonly outboxId: string | null;
  readonly entries: readonly DueEntry[];
  /** More is due than this round had room for, or looked at. */
  readonly more: boolean;
  /** Chats and turns for which nothing is due were taken out of the line: another round may find others. */
  readonly passed: boolean;
}

export interface SchedulerQueries {
  /** Marks up to `room` waiting jobs as scheduled, evenly over the projects, and answers their queue entries. */
  round(kind: string, room: number, now: Date): Promise<Scheduled>;
  published(outboxId: string, now: Date): Promise<void>;
}

/**
 * One scheduler at a time for each kind, over all processes: the others find the lock taken and do nothing.
 *
 * @param pool a `schedulerPool`.
 */
export function schedulerQueries(pool: pg.Pool, jobs: JobRegistry, lines: Lines): SchedulerQueries {
  return {
    async round(kind, room, now) {
      if (definitionOf(jobs, kind)?.scheduler?.turnsAreAsked) await answerCalls(pool, kind, now);
      if (!(await someoneWaits(pool, kind, now))) return NOBODY;
      const line = lines[kind] ?? {};
      const { rows } = await pool.query<ScheduledRow>({
        name: `schedule-${kind}`,
        text: roundSql(line),
        values: [kind, room, now],
      });
      const { more = false, passed = [], idle = false } = rows[0] ?? {};
      const hasPassed = passed.length > 0;
      if (hasPassed) await line.pick?.passOver(pool, passed, now);
      const entries = rows.flatMap(({ id, labels, run_at }) =>
        id === null ? [] : [{ jobId: id, kind, labels, runAt: run_at }],
      );
      const outboxId = entries.length > 0 ? (rows[0]?.outbox_id ?? null) : null;
      return { outboxId, entries, more: more || hasPassed, passed: hasPassed || idle };
    },
    async published(outboxId, now) {
      await pool.query('update outbox set published_at = $2 where id = $1', [outboxId, now]);
    },
  };
}

const NOBODY: Scheduled = { outboxId: null, entries: [], more: false, passed: false };

/** Most rounds find nobody: planning the statements below would cost some milliseconds each time, thirty times a second. */
async function someoneWaits(pool: pg.Pool, kind: string, now: Date): Promise<boolean> {
  const { rows } = await pool.query({ name: 'someone-waits', text: someoneIsDue, values: [kind, now] });
  return rows.length > 0;
}

const someoneIsDue = `
select from scheduler_turn where kind = $1 and served_at <= $2::timestamptz + interval '1 ms' limit 1`;

/**
 * The turns of this round, in the order of service; none where another process schedules this kind. As many turns as there are
 * places, and each with its even share of them, so that a round costs what it schedules, however many projects wait. What a
 * small project leaves of its share, the next round gives away. The millisecond is for turns that this one has just served.
 */
const turnsSql = (room = 'null::int') => `
queue_lock as materialized (select pg_try_advisory_xact_lock(hashtext('schedule ' || $1)) taken),
turns as materialized (
  select row_id, project_id, stamp, row_number() over (order by served_at) turn, ${room} room from (
    select ctid row_id, project_id, stamp, served_at from scheduler_turn
    where kind = $1 and served_at <= $3::timestamptz + interval '1 ms' and (select taken from queue_lock)
    order by served_at limit $2) t),
share as materialized (select ceil($2::numeric / greatest(count(*), 1))::int places from turns)`;

/**
 * What the pick chose, and what still is so once its row is locked: a pause, a cancellation or a deadline that committed since
 * the snapshot is seen here, and a row that one of them holds at this moment is left to it. Nothing here waits for a job or a
 * chat, so that it can't meet anybody in a circle; turns come last, in the order that everybody keeps.
 */
const lockSql = `
picked as materialized (
  select chosen.*, j.kind, j.labels, j.run_at from chosen cross join lateral (
    select kind, labels, run_at, scheduled_at, finished_at from job where id = chosen.id limit 1 for no key update skip locked) j
  where j.scheduled_at is null and j.finished_at is null and j.run_at <= $3)`;

/**
 * Whoever was served goes to the end of the line; who has nothing due sleeps until it is; who has nothing left that waits
 * leaves, unless somebody has asked for a turn since the snapshot: then the stamp is another one. The outbox row is written
 * with it, so that a crash before the queue entries are out is found.
 *
 * Nothing here joins a table with what was picked: after a quiet night the statistics say that nothing waits, and a join that
 * is planned for one row takes a minute with hundreds. Jobs are found by id, and turns by the key of an upsert. It holds the
 * jobs' locks, and no other scheduler works on these turns.
 */
const settleSql = (nextAt: string, passed: string) => `
scheduled as (update job set scheduled_at = $3 where id = any(array(select id from picked))),
remaining as materialized (
  select t.row_id, t.project_id, t.stamp, ${nextAt} next_at, $3::timestamptz + coalesce(t.rank, 0) * interval '1 microsecond' end_of_line
  from (
    select project_id, any_value(row_id) row_id, any_value(stamp) stamp, max(rank) rank from (
      select project_id, row_id, stamp, null::bigint rank from turns union all select project_id, null, null, rank from picked) served
    group by project_id) t),
served as (
  insert into scheduler_turn as t (kind, project_id, served_at, stamp)
  select $1, project_id, case when next_at is null then 'infinity' else greatest(end_of_line, next_at) end, stamp
  from remaining order by project_id
  on conflict (kind, project_id) do update set served_at = case when t.stamp = excluded.stamp then excluded.served_at else $3 end
  where excluded.served_at < 'infinity' or t.stamp <> excluded.stamp
  returning project_id),
left_line as (
  delete from scheduler_turn where ctid = any(array(select row_id from remaining where next_at is null))
    and stamp = any(array(select stamp from remaining where next_at is null)) and (select count(*) from served) >= 0),
batch as (
  insert into outbox (job_ids, at) select array_agg(id order by rank), $3 from picked having count(*) > 0 returning id),
entries as (select picked.id, picked.kind, picked.labels, picked.run_at, picked.rank, batch.id outbox_id from picked cross join batch),
told as (
  select ${passed} passed, exists (select from remaining where next_at <= $3) or (select count(*) from turns) >= $2 more,
    exists (select from remaining where next_at is null or next_at > $3) idle)
select entries.*, told.* from told left join entries on true order by rank`;

/** Priority first, then the oldest due; the first of each project, then the second of each, until the room is used. */
const byProject: Omit<LinePick, 'passOver'> = {
  chosen: `
chosen as materialized (
  select project_id, id, row_number() over (order by place, turn) rank from (
    select t.project_id, t.turn, j.id, j.place from turns t cross join lateral (
      select id, row_number() over (order by priority, run_at, id) place from (
        select due.* from ${eachPriority} cross join lateral (
          select id, j.priority, run_at from job j where kind = $1 and project_id = t.project_id and j.priority = p.priority
            and scheduled_at is null and finished_at is null and run_at <= $3 order by run_at, id limit (select places from share)) due
        order by priority, run_at, id limit least((select places from share), t.room)) first) j
    order by j.place, t.turn limit $2) first),`,
  locked: '',
  nextAt: `(
    select min(run_at) from ${eachPriority} cross join lateral (
      select run_at from job j where j.kind = $1 and j.project_id = t.project_id and j.priority = p.priority and j.scheduled_at is null
        and j.finished_at is null and j.run_at < ${HELD} and j.id not in (select id from picked) order by run_at, id limit 1) first)`,
  passed: `array[]::uuid[]`,
};

const roundSql = ({
  room,
  pick = byProject,
}: {
  readonly room?: string;
  readonly pick?: Omit<LinePick, 'passOver'>;
}) => `
with ${turnsSql(room)},
${pick.chosen}
${lockSql},
${pick.locked}
${settleSql(pick.nextAt, pick.passed)}`;
