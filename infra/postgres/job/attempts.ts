import type pg from 'pg';
import type { FinalState, JobId } from '../../../domain/job/job.ts';
import { HALF_LIFE_SECONDS } from '../../../domain/verify/fraud.ts';
import type { ClosedAttempt, ClosingAttempt, JobStore, OpeningAttempt } from '../../../domain/job/store.ts';
import { batcher, type GatherMs, NO_GATHERING } from '../engine/batcher.ts';
import { attemptIsOpen, jobIsUnfinished } from '../engine/by-key.ts';
import type { JobReason } from '../../../domain/reasons.ts';

/** As many as a lane has tickets in hand. */
const BATCH_MAX = 500;
/** Two, so that one statement is on its way while Postgres commits the other. */
const BATCHES_IN_FLIGHT_MAX = 2;

const sized = { sizeMax: BATCH_MAX, inFlightMax: BATCHES_IN_FLIGHT_MAX };

/** Attempts and states of jobs of every kind. Each statement commits by itself. */
export function jobStore(pool: pg.Pool, now: () => Date, gatherMs: GatherMs = NO_GATHERING): JobStore {
  const open = batcher({
    name: 'open',
    ...sized,
    gatherMs: gatherMs.before,
    run: (items: readonly OpeningAttempt[]) => openAll(pool, items, now()),
  });
  const close = batcher({
    name: 'close',
    ...sized,
    gatherMs: gatherMs.after,
    run: (items: readonly ClosingAttempt[]) => closeAll(pool, items, now()),
  });
  const finish = batcher({
    name: 'finish',
    ...sized,
    gatherMs: gatherMs.after,
    run: (items: readonly Finishing[]) => finishAll(pool, items, now()),
  });
  const postpone = batcher({
    name: 'postpone',
    ...sized,
    gatherMs: gatherMs.after,
    run: (items: readonly Postponing[]) => postponeAll(pool, items),
  });
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
  readonly reason: JobReason | null;
}
interface Postponing {
  readonly id: JobId;
  readonly until: Date;
}

async function openAll(pool: pg.Pool, items: readonly OpeningAttempt[], now: Date) {
  const rows = items.map(({ jobId, n, channel, provider }) => ({ job_id: jobId, n, channel, provider }));
  const opened = await pool.query<{ job_id: string }>({
    name: 'open-attempts',
    text: openAttempts,
    values: [JSON.stringify(rows), now],
  });
  const won = new Set(opened.rows.map(({ job_id }) => job_id));
  // A job that two tickets brought here at once is won by one of them.
  return items.map(({ jobId }) => (won.delete(jobId) ? ('opened' as const) : ('lost' as const)));
}

/** Compare-and-set on the job's count; the partial unique index on open attempts holds the line behind it. */
const openAttempts = `
with opened as (
  update job j set attempts = w.n, state = 'running'
  from json_to_recordset($1) as w (job_id uuid, n int, channel text, provider text)
  where j.id = w.job_id and j.attempts = w.n - 1 and ${jobIsUnfinished}
  returning j.id, w.n, j.project_id, w.channel, w.provider, j.request_id)
insert into attempt (job_id, n, project_id, channel, provider, opened_at, request_id)
select id, n, project_id, channel, provider, $2, request_id from opened
returning job_id`;

async function closeAll(
  pool: pg.Pool,
  items: readonly ClosingAttempt[],
  now: Date,
): Promise<ClosedAttempt[]> {
  const rows = items.map((item) => ({
    job_id: item.jobId,
    n: item.n,
    outcome: item.outcome,
    reason: item.reason,
    reference: item.providerReference,
    cost_micros: item.costMicros?.toString() ?? null,
    cost_currency: item.costCurrency,
    latency_ms: item.latencyMs,
    provider_message: item.detail,
    retry_after_ms: item.retryAfterMs === undefined ? undefined : Math.round(item.retryAfterMs),
    state: 'state' in item.next ? item.next.state : 'running',
    job_reason: 'state' in item.next ? item.next.reason : null,
    run_at: 'runAt' in item.next ? item.next.runAt : now,
    finished: 'state' in item.next,
  }));
  const values = [JSON.stringify(rows), now];
  const closed = await pool.query<{ job_id: string; reported: boolean; settled: boolean }>(
    items.some(mayBePaid)
      ? { name: 'close-paid', text: closePaid, values: [...values, HALF_LIFE_SECONDS] }
      : { name: 'close-free', text: closeFree, values },
  );
  const found = new Map(closed.rows.map((row) => [row.job_id, row]));
  return items.map(({ jobId }) => found.get(jobId) ?? { reported: false, settled: true });
}

/**
 * The attempt, the job and, where the job expires, its verification: one statement, one commit. Rows are locked in the order
 * that everybody keeps: verification, money, job, attempt; each step waits for the one before by asking for its count.
 */
const closeSql = (money: Record<'held' | 'reserved' | 'settled' | 'first', string>) => `
with w as (
  select * from json_to_recordset($1) as w (job_id uuid, n int, outcome text, reason text, reference text, cost_micros bigint,
    cost_currency text, latency_ms int, provider_message text, retry_after_ms int, state text, job_reason text, run_at timestamptz, finished bool)),
expiring as materialized (
  select v.id, v.job_id from verification v
  where (v.id, v.job_id) in (select j.subject_id, j.id from w join job j on j.id = w.job_id where w.state = 'expired') and v.state = 'live'
  order by v.id for update),${money.held}
moved as (
  update job j set state = w.state, reason = w.job_reason, run_at = w.run_at, finished_at = case when w.finished then $2::timestamptz end${money.reserved}
  from w where j.id = w.job_id and j.attempts = w.n and ${jobIsUnfinished}
    and (select count(*) from ${money.first}) >= 0
  returning j.id, j.state),
closed as (
  update attempt a set closed_at = $2, outcome = w.outcome, reason = w.reason, provider_reference = w.reference,
    cost_micros = w.cost_micros, cost_currency = w.cost_currency, latency_ms = w.latency_ms,
    provider_message = w.provider_message, retry_after_ms = w.retry_after_ms
  from w where a.job_id = w.job_id and a.n = w.n and ${attemptIsOpen} and (select count(*) from moved) >= 0
  returning a.job_id, a.n, a.delivery is not null reported, coalesce(new.cost_micros, 0) - old.cost_micros as excess),${money.settled}
expired as (
  update verification v set state = 'expired', closed_at = $2 from expiring join moved on moved.id = expiring.job_id
  where moved.state = 'expired' and v.id = expiring.id)
select w.job_id, coalesce(closed.reported, false) reported, moved.id is null settled
from w left join closed using (job_id) left join moved on moved.id = w.job_id`;

const closeFree = closeSql({ held: '', reserved: '', settled: '', first: 'expiring' });

/**
 * A paid attempt that cost something else than was reserved gives the difference back; one that was not sent counts
 * nothing for its prefix, or an outage would look like fraud. Its number counts attempts by their outcome.
 */
const closePaid = closeSql({
  held: `
repriced as materialized (
  select a.job_id, a.n, a.project_id, a.opened_at, (a.opened_at at time zone 'utc')::date as day,
    w.outcome in ('rejected', 'failed', 'snoozed') unsent, v.phone_prefix prefix, v.asked_by = 'stranger' by_stranger
  from w join attempt a on a.job_id = w.job_id and a.n = w.n join job j on j.id = a.job_id join verification v on v.id = j.subject_id
  where ${attemptIsOpen} and a.cost_micros <> coalesce(w.cost_micros, 0)),
held_spend as materialized (
  select from paid_spend where (project_id, day) in (select project_id, day from repriced) and (select count(*) from expiring) >= 0
  order by project_id for update),
held_scores as materialized (
  select from prefix_score where (project_id, prefix) in (select project_id, prefix from repriced where unsent)
    and (select count(*) from held_spend) >= 0
  order by project_id, prefix collate "C" for update),`,
  // What is tried once more is reserved once more.
  reserved: `, reserved_micros = j.reserved_micros + case when w.outcome in ('failed', 'snoozed') and not w.finished
    then coalesce((select a.cost_micros from attempt a where a.job_id = w.job_id and a.n = w.n and ${attemptIsOpen}), 0) else 0 end`,
  settled: `
returned as (select r.*, closed.excess from repriced r join closed on closed.job_id = r.job_id and closed.n = r.n),
settled_cost as (
  update paid_spend s set spent_micros = greatest(0, s.spent_micros + c.excess),
    stranger_micros = greatest(0, s.stranger_micros + c.stranger_excess)
  from (select project_id, day, sum(excess)::bigint excess, coalesce(sum(excess) filter (where by_stranger), 0)::bigint stranger_excess
    from returned group by 1, 2) c
  where s.project_id = c.project_id and s.day = c.day),
unscored as (
  update prefix_score s set sent = greatest(0, s.sent - u.weight)
  from (select p.project_id, p.prefix, sum(power(2, extract(epoch from r.opened_at - p.at) / $3::float8)) weight
    from returned r join prefix_score p on p.project_id = r.project_id and p.prefix = r.prefix where r.unsent group by 1, 2) u
  where s.project_id = u.project_id and s.prefix = u.prefix),`,
  first: 'held_scores',
});

/** An attempt that cost nothing and may have been sent has nothing to give back. */
const mayBePaid = ({ costMicros, outcome }: ClosingAttempt) =>
  costMicros !== null || (outcome !== 'completed' && outcome !== 'unknown');

async function finishAll(pool: pg.Pool, items: readonly Finishing[], now: Date): Promise<void[]> {
  await pool.query({ name: 'finish-jobs', text: finishJobs, values: [JSON.stringify(items), now] });
  return items.map(() => undefined);
}

/** What a dead worker left open is closed with it, so that no attempt stays open on a finished job. Locks as `closeSql` does. */
const finishJobs = `
with w as (select * from json_to_recordset($1) as w (id uuid, state text, reason text)),
expiring as materialized (
  select v.id, v.job_id from verification v
  where (v.id, v.job_id) in (select j.subject_id, j.id from w join job j on j.id = w.id where w.state = 'expired') and v.state = 'live'
  order by v.id for update),
done as (
  update job j set state = w.state, reason = w.reason, finished_at = $2
  from w where j.id = w.id and ${jobIsUnfinished} and (select count(*) from expiring) >= 0
  returning j.id, j.state),
abandoned as (
  update attempt a set outcome = 'unknown', reason = 'worker-lost', closed_at = $2 from done where a.job_id = done.id and ${attemptIsOpen})
update verification v set state = 'expired', closed_at = $2 from expiring join done on done.id = expiring.job_id
where done.state = 'expired' and v.id = expiring.id`;

async function postponeAll(pool: pg.Pool, items: readonly Postponing[]): Promise<void[]> {
  await pool.query({ name: 'postpone-jobs', text: postponeJobs, values: [JSON.stringify(items)] });
  return items.map(() => undefined);
}

const postponeJobs = `
update job j set run_at = w.until from json_to_recordset($1) as w (id uuid, until timestamptz) where j.id = w.id and ${jobIsUnfinished}`;

const closeAbandoned = `
update attempt set outcome = 'unknown', reason = 'worker-lost', closed_at = $2
where job_id = $1 and outcome is null and opened_at < $3`;
