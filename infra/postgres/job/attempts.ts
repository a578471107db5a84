import type pg from 'pg';
import type { FinalState, JobState } from '../../../domain/job/job.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { ClosedAttempt, ClosingAttempt, JobStore, OpeningAttempt } from '../../../domain/job/store.ts';
import { batcher, type GatherMs, NO_GATHERING } from '../engine/batcher.ts';
import { attemptIsOpen, jobIsUnfinished } from '../engine/by-key.ts';
import type { EndingSql, Settle } from './settle.ts';

/** As many as a queue has in hand. */
const BATCH_MAX = 500;
/** Two, so that one statement is on its way while Postgres commits the other. */
const BATCHES_IN_FLIGHT_MAX = 2;

const sized = { sizeMax: BATCH_MAX, inFlightMax: BATCHES_IN_FLIGHT_MAX };

interface Stored {
  readonly pool: pg.Pool;
  readonly settle: Settle;
}

/** Attempts and states of the jobs of one kind, with what its settle adds. Each statement commits by itself. */
export function jobStore(
  pool: pg.Pool,
  now: () => Date,
  settle: Settle,
  gatherMs: GatherMs = NO_GATHERING,
): JobStore {
  const stored: Stored = { pool, settle };
  const before = { ...sized, gatherMs: gatherMs.before };
  const after = { ...sized, gatherMs: gatherMs.after };
  const open = batcher({
    name: 'open',
    ...before,
    run: (items: readonly OpeningAttempt[]) => openAll(pool, items, now()),
  });
  const close = batcher({
    name: 'close',
    ...after,
    run: (items: readonly ClosingAttempt[]) => closeAll(stored, items, now()),
  });
  const finish = batcher({
    name: 'finish',
    ...after,
    run: (items: readonly Finishing[]) => finishAll(stored, items, now()),
  });
  const postpone = batcher({
    name: 'postpone',
    ...after,
    run: (items: readonly Postponing[]) => postponeAll(pool, items),
  });
  return {
    open,
    close,
    finish: (id, state, reason) => finish({ id, state, reason }),
    postpone: (id, attemptsMade, until) => postpone({ id, n: attemptsMade, until }),
    closeAbandoned: async (id, n, takenAt) => {
      await pool.query(closeAbandoned, [id, now(), takenAt, n]);
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
  readonly n: number;
  readonly until: Date;
}

async function openAll(pool: pg.Pool, items: readonly OpeningAttempt[], now: Date) {
  const rows = items.map(({ jobId, n, channel, provider, providerReference, chosen, chosenAfter }) => ({
    job_id: jobId,
    n,
    channel,
    provider,
    reference: providerReference,
    chosen,
    chosen_after: chosenAfter,
  }));
  const opened = await pool.query<{ job_id: string }>({
    name: 'open-attempts',
    text: openAttempts,
    values: [JSON.stringify(rows), now],
  });
  const won = new Set(opened.rows.map(({ job_id }) => job_id));
  // A job that two queue entries brought here at once is won by one of them.
  return items.map(({ jobId }) => (won.delete(jobId) ? ('opened' as const) : ('lost' as const)));
}

/**
 * Compare-and-set on the job's count; the partial unique index on open attempts holds the line behind it. What the job had reserved
 * becomes the cost of an attempt that is paid for.
 */
export const openAttempts = `
with opened as (
  update job j set attempts = w.n, state = 'running', reserved_micros = greatest(0, j.reserved_micros - coalesce(w.cost_micros, 0))
  from json_to_recordset($1) as w (job_id uuid, n int, channel text, provider text, cost_micros bigint, cost_currency text, scored text[], reference text, chosen text, chosen_after text)
  where j.id = w.job_id and j.attempts = w.n - 1 and ${jobIsUnfinished}
  returning j.id, w.n, j.project_id, w.channel, w.provider, j.request_id, w.cost_micros, w.cost_currency, w.scored, w.reference, w.chosen, w.chosen_after)
insert into attempt (job_id, n, project_id, channel, provider, opened_at, request_id, cost_micros, cost_currency, scored, provider_reference, chosen, chosen_after)
select id, n, project_id, channel, provider, $2, request_id, cost_micros, cost_currency, scored, reference, chosen, chosen_after from opened
returning job_id`;

/** What a completed attempt sent may still wait for its confirmation; after every other the job waits for its next one. */
const stateAfter = ({ next, outcome }: ClosingAttempt): JobState =>
  'state' in next ? next.state : outcome === 'completed' ? 'running' : 'retrying';

async function closeAll(
  { pool, settle }: Stored,
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
    parts: item.parts,
    price_micros: item.priceMicros?.toString(),
    price_currency: item.priceCurrency,
    latency_ms: item.latencyMs,
    provider_message: item.detail,
    retry_after_ms: item.retryAfterMs === undefined ? undefined : Math.round(item.retryAfterMs),
    state: stateAfter(item),
    job_reason: 'state' in item.next ? item.next.reason : null,
    run_at: 'runAt' in item.next ? item.next.runAt : now,
    finished: 'state' in item.next,
  }));
  const ending = settle.paid && items.some(settle.paid.mayBePaid) ? settle.paid.ending : settle.ending;
  const closed = await pool.query<{ job_id: string; reported: boolean; settled: boolean }>({
    name: statementName('close-attempts', ending),
    text: closeAttempts(ending),
    values: [JSON.stringify(rows), now],
  });
  const found = new Map(closed.rows.map((row) => [row.job_id, row]));
  return items.map(({ jobId }) => found.get(jobId) ?? { reported: false, settled: true });
}

const statementName = (name: string, ending: EndingSql | undefined) =>
  ending ? `${name}-${ending.name}` : name;

/** Locks before the jobs what the kind closes with them. */
const heldFirst = (ending: EndingSql | undefined) => ({
  held: ending?.held ?? '',
  isHeld: ending ? `(select count(*) from ${ending.lastHeld}) >= 0` : 'true',
});

/** The attempt, the job and what else the kind closes: one statement, one commit. */
const closeAttempts = (ending: EndingSql | undefined) => {
  const { held, isHeld } = heldFirst(ending);
  return `
with w as (
  select * from json_to_recordset($1) as w (job_id uuid, n int, outcome text, reason text, reference text, cost_micros bigint,
    cost_currency text, parts smallint, price_micros bigint, price_currency text, latency_ms int, provider_message text, retry_after_ms int, state text, job_reason text, run_at timestamptz, finished bool)),
${held}
moved as (
  update job j set state = w.state, reason = w.job_reason, run_at = w.run_at, finished_at = case when w.finished then $2::timestamptz end${ending?.jobColumns ?? ''}
  from w where j.id = w.job_id and j.attempts = w.n and ${jobIsUnfinished} and ${isHeld}
  returning j.id, j.state),
closed as (
  update attempt a set closed_at = $2, outcome = w.outcome, reason = w.reason, provider_reference = coalesce(w.reference, a.provider_reference),
    cost_micros = w.cost_micros, cost_currency = w.cost_currency, parts = w.parts, price_micros = w.price_micros, price_currency = w.price_currency, latency_ms = w.latency_ms,
    provider_message = w.provider_message, retry_after_ms = w.retry_after_ms
  from w where a.job_id = w.job_id and a.n = w.n and ${attemptIsOpen} and (select count(*) from moved) >= 0
  returning a.job_id, a.n, a.delivery is not null reported, coalesce(new.cost_micros, 0) - old.cost_micros as excess)${ending?.settled ?? ''}
select w.job_id, coalesce(closed.reported, false) reported, moved.id is null settled
from w left join closed using (job_id) left join moved on moved.id = w.job_id`;
};

async function finishAll(
  { pool, settle: { ending } }: Stored,
  items: readonly Finishing[],
  now: Date,
): Promise<void[]> {
  await pool.query({
    name: statementName('finish-jobs', ending),
    text: finishJobs(ending),
    values: [JSON.stringify(items.map(({ id, ...end }) => ({ job_id: id, ...end }))), now],
  });
  return items.map(() => undefined);
}

/** What a dead worker left open is closed with it, so that no attempt stays open on a finished job. */
const finishJobs = (ending: EndingSql | undefined) => {
  const { held, isHeld } = heldFirst(ending);
  return `
with w as (select * from json_to_recordset($1) as w (job_id uuid, state text, reason text)),
${held}
moved as (
  update job j set state = w.state, reason = w.reason, finished_at = $2
  from w where j.id = w.job_id and ${jobIsUnfinished} and ${isHeld}
  returning j.id, j.state),
abandoned as (
  update attempt a set outcome = 'unknown', reason = 'worker-lost', closed_at = $2 from moved where a.job_id = moved.id and ${attemptIsOpen})${ending?.settled ?? ''}
select from moved`;
};

async function postponeAll(pool: pg.Pool, items: readonly Postponing[]): Promise<void[]> {
  await pool.query({ name: 'postpone-jobs', text: postponeJobs, values: [JSON.stringify(items)] });
  return items.map(() => undefined);
}

/** Whoever read the job before a further attempt was opened does not shorten the pause that its end has set. */
const postponeJobs = `
update job j set run_at = w.until from json_to_recordset($1) as w (id uuid, n int, until timestamptz)
where j.id = w.id and j.attempts = w.n and ${jobIsUnfinished}`;

/** The attempt that was read, and no later one of a living worker: from here on the job waits for its next attempt, unless that is open. */
const closeAbandoned = `
with waiting as (
  update job j set state = 'retrying' from attempt a
  where j.id = $1 and ${jobIsUnfinished} and j.attempts = $4 and a.job_id = j.id and a.n = $4 and ${attemptIsOpen} and a.opened_at < $3
  returning j.id)
update attempt set outcome = 'unknown', reason = 'worker-lost', closed_at = $2
where job_id = $1 and n = $4 and outcome is null and opened_at < $3 and (select count(*) from waiting) >= 0`;
