import type pg from 'pg';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { ListedReport } from '../../../domain/verify/callback.ts';
import type { AttemptReport, Deliveries, ListedDelivery } from '../../../domain/verify/deliveries.ts';

interface RecordedRow {
  readonly id: JobId;
  readonly waits: boolean;
}

/** Records what providers report of attempts, late reports too. */
export function deliveries(pool: pg.Pool, now: () => Date): Deliveries {
  const values = ({ provider, reference, report }: Omit<AttemptReport, 'jobId' | 'attempt'>) => [
    report.status,
    report.reason,
    report.at,
    now(),
    reference,
    report.refunded,
    provider,
  ];
  return {
    record: async (report) => {
      const { rows } = await pool.query<RecordedRow>({
        name: 'record-delivery',
        text: recordByAddress,
        values: [...values(report), report.jobId, report.attempt],
      });
      const [row] = rows;
      if (!row) return 'unknown-attempt';
      return row.waits ? 'wake' : 'recorded';
    },
    recordListed: (provider, reports) =>
      eachByItself(reports, async (report): Promise<ListedDelivery> => {
        const { rows } = await pool.query<RecordedRow>({
          name: 'record-delivery-by-reference',
          text: recordByReference,
          values: values({ provider, ...report }),
        });
        const [row] = rows;
        if (!row) return { kind: 'unknown-attempt' };
        return row.waits ? { kind: 'wake', jobId: row.id } : { kind: 'recorded' };
      }),
  };
}

/** 3: by then it is not the reports. Each further one of a long list would wait for a database that is away. */
const FAILED_IN_A_ROW_MAX = 3;

/** In order. What fails is told in its place, and those behind it are recorded all the same. */
async function eachByItself(
  reports: readonly ListedReport[],
  record: (report: ListedReport) => Promise<ListedDelivery>,
): Promise<ListedDelivery[]> {
  const done: ListedDelivery[] = [];
  let failedInARow = 0;
  for (const report of reports) {
    const last = done.at(-1);
    const isAway = failedInARow >= FAILED_IN_A_ROW_MAX && last !== undefined;
    const delivery = isAway
      ? last
      : await record(report).catch((error: unknown): ListedDelivery => ({ kind: 'failed', error }));
    failedInARow = delivery.kind === 'failed' ? failedInARow + 1 : 0;
    done.push(delivery);
  }
  return done;
}

/** A report that comes again, or late, changes nothing. */
const isForward = `(a.delivery is null or (select place from rank where status = a.delivery) < (select place from rank where status = $1))`;
/** Of the last attempt every end is waited for; that an earlier one arrived after all ends the chain as well. */
const isAwaited = `($1 in ('delivered', 'read') or (j.attempts = (select n from target) and $1 <> 'sent'))`;

/**
 * Reports arrive repeated and out of order: a step forward is kept, one back is not. The job's row says "due now" in the
 * same commit, so that a queue entry issued in place of a lost one would wake as early. A repeated report wakes a job that is due
 * and still there: whoever took the first one may have been killed before it woke anything. A refund is booked once, since
 * the attempt costs nothing after it; it comes half a minute after the send at the soonest, when the attempt was closed.
 * Money is locked before the job, as everybody does.
 */
const recordDelivery = (target: string) => `
with target as materialized (${target}),
rank (status, place) as (values ('sent', 1), ('delivered', 2), ('read', 3), ('failed', 2), ('expired', 2)),
held_spend as materialized (
  select from paid_spend where $6 and (project_id, day) in (
    select project_id, (opened_at at time zone 'utc')::date from attempt where job_id = (select job_id from target) and n = (select n from target)) for update),
job_row as (select id from job where id = (select job_id from target) and (select count(*) from held_spend) >= 0 for update),
recorded as (
  update attempt a set delivery = case when ${isForward} then $1 else a.delivery end,
    delivery_reason = case when ${isForward} then $2 else a.delivery_reason end,
    delivery_at = case when ${isForward} then $3 else a.delivery_at end,
    provider_reference = coalesce(a.provider_reference, $5),
    cost_micros = case when $6 then least(a.cost_micros, 0) else a.cost_micros end
  from job_row where a.job_id = job_row.id and a.n = (select n from target) and a.provider = $7
    and (${isForward} or a.provider_reference is null or ($6 and a.cost_micros > 0))
  returning a.job_id, a.project_id, (a.opened_at at time zone 'utc')::date as day, new.delivery is distinct from old.delivery stepped,
    coalesce(old.cost_micros - new.cost_micros, 0) refunded),
refunded as (
  update paid_spend s set spent_micros = greatest(0, s.spent_micros - r.refunded),
    stranger_micros = greatest(0, s.stranger_micros - case when exists (
      select from job j join verification v on v.id = j.subject_id where j.id = r.job_id and v.asked_by = 'stranger') then r.refunded else 0 end)
  from recorded r
  where r.refunded > 0 and s.project_id = r.project_id and s.day = r.day),
due as (
  update job j set run_at = least(j.run_at, $4) from recorded
  where recorded.stepped and j.id = recorded.job_id and j.finished_at is null and ${isAwaited}
  returning j.id)
select a.job_id id, exists (select from due) or exists (
  select from job j where j.id = (select job_id from target) and j.finished_at is null and j.run_at <= $4 and ${isAwaited}) waits
from attempt a where a.job_id = (select job_id from target) and a.n = (select n from target) and a.provider = $7`;

const recordByAddress = recordDelivery('select $8::uuid job_id, $9::int n');
/** Two messages of one id are as good as impossible, and then the newer one is meant. */
const recordByReference = recordDelivery(
  `select job_id, n from attempt where provider = 'play-mobile' and provider = $7 and provider_reference = $5 order by opened_at desc limit 1`,
);
