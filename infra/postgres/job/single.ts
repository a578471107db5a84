import type pg from 'pg';
import type { JobState } from '../../../domain/job/job.ts';
import type { JobId, ProjectId } from '../../../domain/shared/ids.ts';
import type { PastTry } from '../../../domain/job/retry.ts';
import type { NoWork, SingleJob } from '../../../domain/job/single.ts';
import { batcher } from '../engine/batcher.ts';

const BATCH_MAX = 500;
const BATCHES_IN_FLIGHT_MAX = 2;

/** What every kind's row has; a kind adds columns of its own. */
export interface SingleJobRow {
  readonly id: JobId;
  readonly project_id: ProjectId;
  readonly state: JobState;
  readonly finished: boolean;
  readonly reason: string | null;
  readonly paused: boolean;
  readonly attempts: number;
  readonly run_at: Date;
  readonly deadline_at: Date;
  readonly request_id: string | null;
  readonly payload: unknown;
  readonly past: readonly PastJson[] | null;
}
interface PastJson {
  readonly n: number;
  readonly outcome: PastTry['outcome'];
  readonly reason: string | null;
  readonly retry_after_ms: number | null;
  readonly opened_at: string;
  readonly closed_at: string | null;
}

export interface SingleSource<Row extends SingleJobRow, Work> {
  readonly kind: string;
  /** Columns of its own, and the joins that they come from; `j` is the job. */
  readonly columns?: string;
  readonly joins?: string;
  /** Of its batches; default 0. */
  readonly gatherMs?: number;
  readonly work: (row: Row) => Work | NoWork | null;
}

/** Reads what a wake-up of a kind with one provider needs, for all jobs that wake together. */
export function singleJobs<Row extends SingleJobRow, Work>(
  pool: pg.Pool,
  source: SingleSource<Row, Work>,
): (id: JobId) => Promise<SingleJob<Work> | null> {
  const text = readSql(source);
  return batcher({
    name: `read-${source.kind}`,
    sizeMax: BATCH_MAX,
    inFlightMax: BATCHES_IN_FLIGHT_MAX,
    gatherMs: source.gatherMs,
    run: async (ids: readonly JobId[]) => {
      const { rows } = await pool.query<Row>({ name: `read-${source.kind}`, text, values: [ids] });
      const found = new Map(rows.map((row) => [row.id, toJob(row, source.work)]));
      return ids.map((id) => found.get(id) ?? null);
    },
  });
}

/**
 * Past attempts are read only where there are any, and only those since staff last had it tried again. A queue entry that stands on
 * the wrong queue finds no job here: this kind's worker could not read its payload, and would reject it.
 */
const readSql = ({
  kind,
  columns,
  joins,
}: Pick<SingleSource<SingleJobRow, unknown>, 'kind' | 'columns' | 'joins'>) => `
select j.id, j.project_id, j.state, j.finished_at is not null finished, j.reason, j.attempts, j.run_at, j.deadline_at, j.request_id,
  j.payload, exists (select from queue where kind = '${kind}' and paused_at is not null) paused,
  ${columns ? `${columns},` : ''}
  case when j.attempts > j.attempts_before then (
    select json_agg(json_build_object('n', a.n, 'outcome', a.outcome, 'reason', a.reason, 'retry_after_ms', a.retry_after_ms, 'opened_at', a.opened_at,
      'closed_at', a.closed_at) order by a.n)
    from attempt a where a.job_id = j.id and a.n > j.attempts_before) end past
from job j ${joins ?? ''}
where j.id = any($1) and j.kind = '${kind}'`;

function toJob<Row extends SingleJobRow, Work>(
  row: Row,
  work: SingleSource<Row, Work>['work'],
): SingleJob<Work> {
  const past = row.past ?? [];
  const open = past.find(({ outcome }) => outcome === null);
  return {
    id: row.id,
    projectId: row.project_id,
    state: row.state,
    finished: row.finished,
    reason: row.reason,
    paused: row.paused,
    attemptsMade: row.attempts,
    runAt: row.run_at,
    deadlineAt: row.deadline_at,
    requestId: row.request_id,
    openSince: open ? new Date(open.opened_at) : null,
    past: past.map(({ n, outcome, reason, retry_after_ms, closed_at }) => ({
      n,
      outcome,
      reason,
      retryAfterMs: retry_after_ms,
      closedAt: closed_at === null ? null : new Date(closed_at),
    })),
    work: row.finished ? null : work(row),
  };
}
