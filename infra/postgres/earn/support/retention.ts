import { daysBefore, type Retention } from '../../engine/retention.ts';

/** As long as somebody may come back to what they were told: a reply opens a closed request again. */
const SUPPORT_KEPT_DAYS = 365;

const retireSupport = `
delete from support_request where id = any(array(
  select id from support_request where state = 'closed' and state_at < $1 order by state_at limit $2))`;

/** Requests to support that were closed a year ago. */
export const supportRetention: Retention = {
  rules: [{ sql: retireSupport, before: (now) => daysBefore(now, SUPPORT_KEPT_DAYS) }],
};
