import type pg from 'pg';
import type { FinalState, EntryLabels } from '../../../domain/job/job.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import { countFinished } from '../../process/metrics.ts';
import type { DueEntry } from '../../queue/entries.ts';
import { type Keep, type Retention, type Retired, retirement } from '../engine/retention.ts';
import { type Kinds, kindsThatConfirm } from './settle.ts';
import { stuckJobs } from './stuck.ts';

/** An intake publishes within milliseconds; what is this old was left behind by a crash or a dead Redis. */
const UNPUBLISHED_AFTER_MS = 5_000;
const OUTBOX_ROWS_MAX = 100;
/** An attempt that was opened at the last moment is its worker's to close, until its time-out and a slow commit are over. */
const graceMs = ({ jobs }: Kinds) =>
  Math.max(...Object.values(jobs).map(({ attemptTimeoutMs }) => attemptTimeoutMs)) + 5_000;
/**
 * Longer than a living worker can hold an attempt: the longest time-out (15 s), then five tries to record its end of up to 15 s each,
 * with their pauses (4.5 s).
 */
const HELD_MS_MAX = 2 * 60_000;
const EXPIRED_ROWS_MAX = 2_000;
/** Changes of counts taken up in one round: what a busy second writes, many times over. */
const FOLDED_ROWS_MAX = 50_000;

interface EntryRow {
  readonly id: JobId;
  readonly kind: string;
  readonly labels: EntryLabels;
  readonly run_at: Date;
}

const toEntry = ({ id, kind, labels, run_at }: EntryRow): DueEntry => ({
  jobId: id,
  kind,
  labels,
  runAt: run_at,
});

export interface LostBatches {
  readonly ids: readonly string[];
  readonly entries: readonly DueEntry[];
}

/** What the reconciler reads and writes in Postgres. Each statement is bounded, whatever the backlog. */
export interface ReconcilerQueries {
  unpublished(now: Date): Promise<LostBatches>;
  markPublished(ids: readonly string[], now: Date): Promise<void>;
  /** Unfinished jobs by id, after `after`: a page of a walk over all of them. Those that wait for their turn have no queue entry. */
  unfinishedAfter(
    after: string | null,
    limit: number,
  ): Promise<{ readonly entries: readonly DueEntry[]; readonly next: string | null }>;
  /** Jobs whose time is up, and subjects of theirs; and attempts that a dead worker left open on a job that has ended. */
  expire(now: Date): Promise<number>;
  freeStuck(now: Date): Promise<number>;
  pausedKinds(): Promise<ReadonlySet<string>>;
  /** One bounded round of deleting what retention no longer keeps. */
  retire(now: Date, keep: Keep): Promise<Retired>;
}

/** What the reconciler is told of the contexts. */
export interface Contexts extends Kinds {
  readonly retentions: readonly Retention[];
}

export function reconcilerQueries(pool: pg.Pool, { retentions, ...kinds }: Contexts): ReconcilerQueries {
  return {
    unpublished: async (now) => {
      const batches = await pool.query<{ id: string; job_ids: string[] }>(readUnpublished, [
        new Date(now.getTime() - UNPUBLISHED_AFTER_MS),
        OUTBOX_ROWS_MAX,
      ]);
      const jobIds = batches.rows.flatMap((row) => row.job_ids);
      const jobs = await pool.query<EntryRow>(
        'select id, kind, labels, run_at from job where id = any($1) and finished_at is null',
        [jobIds],
      );
      return { ids: batches.rows.map(({ id }) => id), entries: jobs.rows.map(toEntry) };
    },
    markPublished: async (ids, now) => {
      await pool.query('update outbox set published_at = $2 where id = any($1::bigint[])', [ids, now]);
    },
    unfinishedAfter: async (after, limit) => {
      const { rows } = await pool.query<EntryRow & { scheduled: boolean }>(readUnfinished, [
        after ?? FIRST_ID,
        limit,
      ]);
      const entries = rows.filter(({ scheduled }) => scheduled).map(toEntry);
      return { entries, next: rows.length < limit ? null : (rows.at(-1)?.id ?? null) };
    },
    expire: async (now) => {
      await pool.query(foldCounts, [FOLDED_ROWS_MAX]);
      return expire(pool, kinds, now);
    },
    freeStuck: stuckJobs(pool, kinds.settles),
    pausedKinds: async () => {
      const { rows } = await pool.query<{ kind: string }>(
        'select kind from queue where paused_at is not null',
      );
      return new Set(rows.map(({ kind }) => kind));
    },
    retire: retirement(pool, retentions),
  };
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

const readUnpublished = `select id, job_ids from outbox where published_at is null and at < $1 order by at limit $2`;

/** By the partial index of unfinished rows, so that its cost does not grow with what is finished. */
const readUnfinished = `select id, kind, labels, run_at, scheduled_at is not null scheduled from job where finished_at is null and id > $1 order by id limit $2`;

async function expire(pool: pg.Pool, kinds: Kinds, now: Date): Promise<number> {
  const late = new Date(now.getTime() - graceMs(kinds));
  const jobs = await pool.query<{ kind: string; state: FinalState }>(expireJobs, [
    now,
    late,
    EXPIRED_ROWS_MAX,
    kindsThatConfirm(kinds.jobs),
  ]);
  const subjects = new Set(Object.values(kinds.settles).map(({ expire: sql }) => sql));
  for (const sql of subjects) if (sql !== undefined) await pool.query(sql, [now, late, EXPIRED_ROWS_MAX]);
  await pool.query(closeLeftOpen, [now, new Date(now.getTime() - HELD_MS_MAX), EXPIRED_ROWS_MAX]);
  for (const { kind, state } of jobs.rows) countFinished(kind, state, 1);
  return jobs.rowCount ?? 0;
}

/** `$4`: kinds that are completed where a provider took the job (`JobDefinition.deadline`). */
const expireJobs = `
with late as (
  select id from job where finished_at is null and deadline_at < $2 order by deadline_at limit $3 for update skip locked),
done as (
  update job j set finished_at = $1,
    (state, reason) = (select case when taken then 'completed' else 'expired' end, case when taken then 'unconfirmed' else 'deadline' end
      from (select j.kind = any($4) and exists (select from attempt a where a.job_id = j.id and a.outcome = 'completed') taken) t)
  from late where j.id = late.id
  returning j.id, j.kind, j.state),
abandoned as (
  update attempt a set outcome = 'unknown', reason = 'worker-lost', closed_at = $1 from done where a.job_id = done.id and a.outcome is null)
select kind, state from done`;

/**
 * Whoever ends a job while an attempt is under way (staff, a right code, a newer send) leaves the attempt to its worker, which may
 * have sent something and says so. Of a dead one nobody else would close it, since a finished job gets no queue entry again.
 */
const closeLeftOpen = `
with left_open as (
  select a.job_id, a.n from attempt a join job j on j.id = a.job_id
  where a.outcome is null and a.opened_at < $2 and j.finished_at is not null limit $3 for update of a skip locked)
update attempt a set outcome = 'unknown', reason = 'worker-lost', closed_at = $1 from left_open l where a.job_id = l.job_id and a.n = l.n`;

/**
 * Takes changes of counts into the counts. One statement, so that whoever adds both up sees each change once; a second reconciler
 * passes over what the first one holds, and both lock counts in one order.
 */
const foldCounts = `
with taken as (
  delete from project_rows_change where ctid = any(array(select ctid from project_rows_change limit $1 for update skip locked))
  returning project_id, what, n)
insert into project_rows as r (project_id, what, n) select project_id, what, sum(n) from taken group by 1, 2 order by 1, 2
on conflict (project_id, what) do update set n = r.n + excluded.n`;
