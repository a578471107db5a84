import type pg from 'pg';
import type { JobId } from '../../domain/job/job.ts';
import type { Deliveries } from '../../domain/otp/deliveries.ts';

/** Records what providers report of attempts, late reports too. */
export function deliveries(pool: pg.Pool, now: () => Date): Deliveries {
  return {
    record: async ({ jobId, attempt, provider, report }) => {
      const { rows } = await pool.query<{ id: JobId; waits: boolean }>({
        name: 'record-delivery',
        text: recordDelivery,
        values: [jobId, attempt, provider, report.status, report.reason, report.at, now()],
      });
      const [row] = rows;
      if (!row) return 'unknown-attempt';
      return row.waits ? 'wake' : 'recorded';
    },
  };
}

/**
 * Reports arrive repeated and out of order: a step forward is kept, one back is not. The job's row says "due now" in the
 * same commit, so that a ticket issued in place of a lost one would wake as early. A repeated report wakes a job that is due
 * and still there: whoever took the first one may have been killed before it woke anything.
 */
const recordDelivery = `
with rank (status, place) as (values ('sent', 1), ('delivered', 2), ('read', 3), ('failed', 2), ('expired', 2)),
job_row as (select id from job where id = $1 for update),
recorded as (
  update attempt a set delivery = $4, delivery_reason = $5, delivery_at = $6
  from job_row where a.job_id = job_row.id and a.n = $2 and a.provider = $3
    and (a.delivery is null or (select place from rank where status = a.delivery) < (select place from rank where status = $4))
  returning a.job_id, a.n),
due as (
  update job j set run_at = least(j.run_at, $7) from recorded
  where j.id = recorded.job_id and j.finished_at is null and j.attempts = recorded.n and $4 <> 'sent'
  returning j.id)
select a.job_id id, exists (select from due) or exists (
  select from job j where j.id = $1 and j.finished_at is null and j.attempts = $2 and j.run_at <= $7 and $4 <> 'sent') waits
from attempt a where a.job_id = $1 and a.n = $2 and a.provider = $3`;
