import { daysBefore, type Retention, TEST_KEPT_DAYS } from '../engine/retention.ts';

/** Its words leave with its jobs; a dedupe key is promised to hold however old it is, so that its row stays. */
const retireBroadcasts = `
with old as materialized (
  select id, dedupe_key is null whole from broadcast b
  where finished_at < $1 and content <> '{}' and (select true from job j where j.subject_id = b.id limit 1) is null
  order by finished_at limit $2),
gone as (delete from broadcast where id = any(array(select id from old where whole))),
emptied as (update broadcast set content = '{}' where id = any(array(select id from old where not whole)))
select from old`;

/** Whole, dedupe keys too: what a test key sent reached nobody. */
const retireTestBroadcasts = `
delete from broadcast where id = any(array(
  select id from broadcast b
  where mode = 'test' and finished_at < $1 and (select true from job j where j.subject_id = b.id limit 1) is null
  order by finished_at limit $2))`;

/** Broadcasts whose jobs have left. */
export const messageRetention: Retention = {
  rules: [
    { sql: retireBroadcasts, before: (now, { jobDays }) => daysBefore(now, jobDays) },
    { sql: retireTestBroadcasts, before: (now) => daysBefore(now, TEST_KEPT_DAYS) },
  ],
};
