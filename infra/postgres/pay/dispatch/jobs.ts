import type pg from 'pg';
import type { FinalState, JobState } from '../../../../domain/job/job.ts';
import { isFinal } from '../../../../domain/job/job.ts';
import type { CallKind, DispatchState, RailCall } from '../../../../domain/pay/dispatch/dispatch.ts';
import type { NumberedCall, OpenDispatch, PayoutJob } from '../../../../domain/pay/dispatch/port.ts';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { batcher } from '../../engine/batcher.ts';

/** As many as a worker has in hand. */
const BATCH_MAX = 100;
const BATCHES_IN_FLIGHT_MAX = 2;

interface PayoutRow {
  readonly id: JobId;
  readonly state: JobState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly paused: boolean;
  readonly dispatch_id: string | null;
  readonly dispatch_state: DispatchState | null;
  readonly attempt: number | null;
  readonly rail_uuid: string | null;
  readonly next_at: Date | null;
  readonly version: number | null;
  readonly amount: string | null;
  readonly calls: readonly CallJson[] | null;
}
interface CallJson {
  readonly n: number;
  readonly what: CallKind;
  readonly attempt: number;
  readonly opened_at: string;
  readonly closed_at: string | null;
  readonly outcome: RailCall['outcome'];
  readonly status: RailCall['status'];
  readonly because: RailCall['because'];
}

/** Reads what a wake-up of `payout` needs, for all jobs that wake together. */
export function payoutJobs(pool: pg.Pool): (id: JobId) => Promise<PayoutJob | null> {
  return batcher({
    name: 'read-payout',
    sizeMax: BATCH_MAX,
    inFlightMax: BATCHES_IN_FLIGHT_MAX,
    run: async (ids: readonly JobId[]) => {
      const { rows } = await pool.query<PayoutRow>({ name: 'read-payout', text: readJobs, values: [ids] });
      const found = new Map(rows.map((row) => [row.id, jobOf(row)]));
      return ids.map((id) => found.get(id) ?? null);
    },
  });
}

/** A job that was replaced finds no dispatch: `job_id` names another. */
const readJobs = `
select j.id, j.state, j.reason, j.attempts, exists (select from queue where kind = 'payout' and paused_at is not null) paused,
  d.id dispatch_id, d.state dispatch_state, d.attempt, d.rail_uuid, d.next_at, d.version, d.amount,
  (select json_agg(json_build_object('n', c.n, 'what', c.what, 'attempt', c.attempt, 'opened_at', c.opened_at, 'closed_at', c.closed_at,
      'outcome', c.outcome, 'status', c.status, 'because', c.because) order by c.n) from rail_call c where c.dispatch_id = d.id) calls
from job j left join payout_dispatch d on d.id = j.subject_id and d.job_id = j.id
where j.id = any($1) and j.kind = 'payout'`;

function jobOf(row: PayoutRow): PayoutJob {
  return {
    id: row.id,
    finished: isFinal(row.state) ? (row.state satisfies FinalState) : null,
    reason: row.reason,
    paused: row.paused,
    attemptsMade: row.attempts,
    dispatch: dispatchOf(row),
  };
}

function dispatchOf({ calls, ...row }: PayoutRow): OpenDispatch | null {
  const { dispatch_id: id, dispatch_state: state, next_at: nextAt, attempt, version, amount } = row;
  if (id === null || state === null || nextAt === null) return null;
  if (attempt === null || version === null || amount === null) return null;
  return {
    id,
    state,
    attempt,
    version,
    nextAt,
    railUuid: row.rail_uuid,
    amount: BigInt(amount),
    calls: (calls ?? []).map(callOf),
  };
}

const callOf = ({ opened_at: openedAt, closed_at: closedAt, ...call }: CallJson): NumberedCall => ({
  ...call,
  openedAt: new Date(openedAt),
  closedAt: closedAt === null ? null : new Date(closedAt),
});
