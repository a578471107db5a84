import { Migration } from '@mikro-orm/migrations';

/**
 * Reports that come within two seconds are metered by few jobs, and not by one for each session. A session waits for a job whose id is made of
 * the time and of the session: who comes first in these two seconds writes the job, the others find it.
 *
 * Locks: sessions in the order of their ids, then jobs in the order of theirs.
 */
export class Migration20261130163000EarnGather extends Migration {
  override up(): void {
    for (const sql of [index, ask]) this.addSql(sql);
  }
}

/**
 * Metered within five seconds: up to two until the time is over, half a second more for commits that are under way at its end, and some tenths
 * for the queue and for the metering itself. Whose commit takes longer finds its job ended, and gets another one after a minute.
 */
const GATHER_MS = 2_000;
const COMMIT_MS = 500;
/**
 * Of each two seconds. 100 000 phones that report once a minute are 3 300 sessions in two seconds: 16 jobs of some 200, 0.7 million a day,
 * where one for each report would be 144 million. A power of two.
 */
const JOBS = 16;
/** Nobody waits for it by then: housekeeping makes a new one. */
const JOB_LIFE = '7 days';

const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const index = `
-- Who waits for a job. Its id begins with its time, so that the oldest are first here too.
create index traffic_session_job on traffic_session (job_id) where job_id is not null;
drop index traffic_session_waiting`;

/** Of all sessions of a project. */
const share = `md5(s.project_id || ':' || (hashtext(s.id::text) & ${JOBS - 1}))`;

const ask = `
-- Inner: jobs for these sessions, which the caller holds and of which none waits for one. The id of a job is a UUIDv7 (RFC 9562) of the end of
-- these two seconds, the same for every session of a sixteenth.
create or replace function traffic_ask(sessions uuid[]) returns void
${inner} as $$
declare
  at constant timestamptz := ledger_clock();
  ends_ms constant bigint := (floor(extract(epoch from at) * 1000 / ${GATHER_MS})::bigint + 1) * ${GATHER_MS};
  of_time constant text := lpad(to_hex(ends_ms), 12, '0') || '7';
begin
  if coalesce(cardinality(sessions), 0) = 0 then return; end if;
  with asked as (
    update traffic_session s set job_id = (of_time || left(${share}, 3) || '8' || right(${share}, 15))::uuid, asked_at = at
    where s.id = any (sessions)
    returning s.job_id, s.project_id),
  added as (
    insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
      select a.job_id, 'traffic-report', a.project_id, a.project_id, '{}', jsonb_build_object('project', p.slug),
        to_timestamp((ends_ms + ${COMMIT_MS}) / 1000.0), at + interval '${JOB_LIFE}', at
      from (select distinct x.job_id, x.project_id from asked x) a join project p on p.id = a.project_id order by a.job_id
      on conflict (id) do nothing returning project_id)
  insert into turn_request (kind, project_id) select distinct 'traffic-report', a.project_id from added a;
end $$`;
