import { daysBefore, type Retention, TEST_KEPT_DAYS } from '../engine/retention.ts';

/** Published batches are kept for a look at what went wrong. */
const OUTBOX_KEPT_MS = 60_000;

/** What attempts counted to stays in `usage_day` when they leave, in the same statement. */
const retireFinished = (whose: string) => `
with gone as (
  delete from job where id = any(array(select id from job where ${whose} finished_at < $1 order by finished_at limit $2)) returning id),
attempts_gone as (delete from attempt where job_id in (select id from gone) returning *),
counted as (
  select a.project_id, (a.opened_at at time zone 'utc')::date as day, coalesce(a.channel, '') channel, coalesce(a.outcome, 'unknown') outcome,
    count(*) attempts, coalesce(sum(a.cost_micros), 0) cost_micros
  from attempts_gone a where a.outcome is distinct from 'snoozed' group by 1, 2, 3, 4),
kept as (
  insert into usage_day as u (project_id, day, channel, outcome, attempts, cost_micros)
  select project_id, day, channel, outcome, attempts, cost_micros from counted order by 1, 2, 3, 4
  on conflict (project_id, day, channel, outcome) do update
  set attempts = u.attempts + excluded.attempts, cost_micros = u.cost_micros + excluded.cost_micros)
select from gone`;

const retireJobs = retireFinished('');

const retireTestJobs = retireFinished(`mode = 'test' and`);

const retireOutbox = `
delete from outbox where id = any(array(select id from outbox where published_at < $1 order by id limit $2))`;

/** Finished jobs with their attempts, and published batches. */
export const jobRetention: Retention = {
  rules: [
    { sql: retireJobs, before: (now, { jobDays }) => daysBefore(now, jobDays) },
    { sql: retireTestJobs, before: (now) => daysBefore(now, TEST_KEPT_DAYS) },
    { sql: retireOutbox, before: (now) => new Date(now.getTime() - OUTBOX_KEPT_MS) },
  ],
};
