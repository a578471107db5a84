import { daysBefore, type Retention, TEST_KEPT_DAYS } from '../engine/retention.ts';

/** The deliveries of an event leave with their jobs. The question after them is asked of each row, and never becomes a join. */
const retireEventsOf = (whose: string) => `
delete from webhook_event where id = any(array(
  select id from webhook_event e where ${whose} happened_at < $1 and (select true from job j where j.subject_id = e.id limit 1) is null
  order by happened_at limit $2))`;

const retireEvents = retireEventsOf('');

const retireTestEvents = retireEventsOf(`mode = 'test' and`);

/** No delivery points at them any more. */
const retireEndpoints = `
delete from webhook_endpoint where id = any(array(
  select id from webhook_endpoint where deleted_at < $1 order by deleted_at limit $2))`;

/** Events whose deliveries have left, and deleted endpoints. */
export const webhookRetention: Retention = {
  rules: [
    { sql: retireEvents, before: (now, { jobDays }) => daysBefore(now, jobDays) },
    { sql: retireTestEvents, before: (now) => daysBefore(now, TEST_KEPT_DAYS) },
    { sql: retireEndpoints, before: (now, { jobDays }) => daysBefore(now, jobDays) },
  ],
};
