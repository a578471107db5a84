import { daysBefore, type Retention } from '../engine/retention.ts';

/** Idempotency keys of sends are kept for a day (contracts §2). */
const REQUEST_KEPT_DAYS = 1;

const retireRequests = `
delete from request where ctid = any(array(select ctid from request where at < $1 order by at limit $2))`;

/** Idempotency keys. */
export const projectRetention: Retention = {
  rules: [{ sql: retireRequests, before: (now) => daysBefore(now, REQUEST_KEPT_DAYS) }],
};
