import type pg from 'pg';
import type { FinalState, JobId } from '../../domain/job/job.ts';
import { HALF_LIFE_SECONDS } from '../../domain/otp/fraud.ts';
import type { ClosedAttempt, ClosingAttempt, JobStore, OpeningAttempt } from '../../domain/job/store.ts';
import { batcher } from './batcher.ts';

/** As many as a lane has tickets in hand. */
const BATCH_MAX = 500;
/** Two, so that one statement is on its way while Postgres commits the other. */
const BATCHES_IN_FLIGHT_MAX = 2;

const sized = { sizeMax: BATCH_MAX, inFlightMax: BATCHES_IN_FLIGHT_MAX };

/** Attempts and states of jobs of every kind. Each statement commits by itself. */
export function jobStore(pool: pg.Pool, now: () => Date): JobStore {
  const open = batcher({ name: 'open', ...sized, run: (items: readonly OpeningAttempt[]) => openAll(pool, items, now()) });
  const close = batcher({ name: 'close', ...sized, run: (items: readonly ClosingAttempt[]) => closeAll(pool, items, now()) });
  const finish = batcher({ name: 'finish', ...sized, run: (items: readonly Finishing[]) => finishAll(pool, items, now()) });
  const postpone = batcher({ name: 'postpone', ...sized, run: (items: readonly Postponing[]) => postponeAll(pool, items) });
  return {
    open,
    close,
    finish: (id, state, reason) => finish({ id, state, reason }),
    postpone: (id, until) => postpone({ id, until }),
    closeAbandoned: async (id, takenAt) => {
      await pool.query(closeAbandoned, [id, now(), takenAt]);
    },
  };
}

interface Finishing {
  readonly id: JobId;
  readonly state: FinalState;
  readonly reason: string | null;
}
interface Postponing {
  readonly id: JobId;
  readonly until: Date;
}

async function openAll(pool: pg.Pool, items: readonly OpeningAttempt[], now: Date) {
  const rows = items.map(({ jobId, n, channel, provider }) => ({ job_id: jobId, n, channel, provider }));
  const opened = await pool.query<{ job_id: string }>(openAttempts, [JSON.stringify(rows), now]);
  const won = new Set(opened.rows.map(({ job_id }) => job_id));
  return items.map(({ jobId }) => (won.has(jobId) ? ('opened' as const) : ('lost' as const)));
}

/** Compare-and-set on the job's count; the partial unique index on open attempts holds the line behind it. */
const openAttempts = `
with opened as (
  update job j set attempts = w.n, state = 'running'
  from json_to_recordset($1) as w (job_id uuid, n int, channel text, provider text)
  where j.id = w.job_id and j.attempts = w.n - 1 and j.finished_at is null
  returning j.id, w.n, j.project_id, w.channel, w.provider, j.request_id)
insert into attempt (job_id, n, project_id, channel, provider, opened_at, request_id)
select id, n, project_id, channel, provider, $2, request_id from opened
returning job_id`;

async function closeAll(pool: pg.Pool, items: readonly ClosingAttempt[], now: Date): Promise<ClosedAttempt[]> {
  const rows = items.map((item) => ({
    job_id: item.jobId,
    n: item.n,
    outcome: item.outcome,
    reason: item.reason,
    reference: item.providerReference,
    cost_micros: item.costMicros?.toString() ?? null,
    cost_currency: item.costCurrency,
    latency_ms: item.latencyMs,
    state: 'state' in item.next ? item.next.state : 'running',
    job_reason: 'state' in item.next ? item.next.reason : null,
    run_at: 'runAt' in item.next ? item.next.runAt : now,
    finished: 'state' in item.next,
  }));
  const closed = await pool.query<{ job_id: string; reported: boolean; settled: boolean }>(closeAttempts, [
    JSON.stringify(rows),
    now,
    HALF_LIFE_SECONDS,
  ]);
  const found = new Map(closed.rows.map((row) => [row.job_id, row]));
  return items.map(({ jobId }) => found.get(jobId) ?? { reported: false, settled: true });
}

/**
 * The attempt, the job and, where the job expires, its verification: one statement, one commit. A paid attempt that cost
 * something else than was reserved gives the difference back; one that was not sent counts neither for its number nor for its
 * prefix, or an outage would look like fraud.
 */
const closeAttempts = `
with w as (
  select * from json_to_recordset($1) as w (job_id uuid, n int, outcome text, reason text, reference text, cost_micros bigint,
    cost_currency text, latency_ms int, state text, job_reason text, run_at timestamptz, finished bool)),
closed as (
  update attempt a set closed_at = $2, outcome = w.outcome, reason = w.reason, provider_reference = w.reference,
    cost_micros = w.cost_micros, cost_currency = w.cost_currency, latency_ms = w.latency_ms
  from w where a.job_id = w.job_id and a.n = w.n and a.outcome is null
  returning a.job_id, a.delivery is not null reported, a.project_id, (a.opened_at at time zone 'utc')::date as day,
    coalesce(new.cost_micros, 0) - old.cost_micros as excess,
    a.opened_at, old.cost_micros is not null and a.outcome in ('rejected', 'failed', 'snoozed') as unsent),
settled_cost as (
  update paid_spend s set spent_micros = greatest(0, s.spent_micros + c.excess)
  from (select project_id, day, sum(excess)::bigint excess from closed where excess <> 0 group by 1, 2) c
  where s.project_id = c.project_id and s.day = c.day),
unsent as (
  select c.project_id, c.opened_at, j.address_hash, v.phone_prefix
  from closed c join job j on j.id = c.job_id join verification v on v.id = j.subject_id where c.unsent),
uncapped as (
  update paid_destination d set paid_at = array_remove(d.paid_at, unsent.opened_at) from unsent where d.address_hash = unsent.address_hash),
unscored as (
  update prefix_score s set sent = greatest(0, s.sent - u.weight)
  from (select p.project_id, p.prefix, sum(power(2, extract(epoch from unsent.opened_at - p.at) / $3::float8)) weight
    from unsent join prefix_score p on p.project_id = unsent.project_id and p.prefix = unsent.phone_prefix group by 1, 2) u
  where s.project_id = u.project_id and s.prefix = u.prefix),
moved as (
  update job j set state = w.state, reason = w.job_reason, run_at = w.run_at, finished_at = case when w.finished then $2 end
  from w where j.id = w.job_id and j.attempts = w.n and j.finished_at is null
  returning j.id, j.subject_id, j.kind, j.state),
expired as (
  update verification v set state = 'expired', closed_at = $2 from moved
  where moved.state = 'expired' and v.id = moved.subject_id and v.job_id = moved.id and v.state = 'live')
select w.job_id, coalesce(closed.reported, false) reported, moved.id is null settled
from w left join closed using (job_id) left join moved on moved.id = w.job_id`;

async function finishAll(pool: pg.Pool, items: readonly Finishing[], now: Date): Promise<void[]> {
  await pool.query(finishJobs, [JSON.stringify(items), now]);
  return items.map(() => undefined);
}

/** What a dead worker left open is closed with it, so that no attempt stays open on a finished job. */
const finishJobs = `
with done as (
  update job j set state = w.state, reason = w.reason, finished_at = $2
  from json_to_recordset($1) as w (id uuid, state text, reason text) where j.id = w.id and j.finished_at is null
  returning j.id, j.subject_id, j.state),
abandoned as (
  update attempt a set outcome = 'unknown', reason = 'worker-lost', closed_at = $2 from done where a.job_id = done.id and a.outcome is null)
update verification v set state = 'expired', closed_at = $2 from done
where done.state = 'expired' and v.id = done.subject_id and v.job_id = done.id and v.state = 'live'`;

async function postponeAll(pool: pg.Pool, items: readonly Postponing[]): Promise<void[]> {
  await pool.query(postponeJobs, [JSON.stringify(items)]);
  return items.map(() => undefined);
}

const postponeJobs = `
update job j set run_at = w.until from json_to_recordset($1) as w (id uuid, until timestamptz) where j.id = w.id and j.finished_at is null`;

const closeAbandoned = `
update attempt set outcome = 'unknown', reason = 'worker-lost', closed_at = $2
where job_id = $1 and outcome is null and opened_at < $3`;
