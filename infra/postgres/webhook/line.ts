import type { Line } from '../job/scheduler.ts';

/** Sent to its queue, and not put to sleep since. */
const WEBHOOK_IN_HAND = `kind = 'webhook' and scheduled_at is not null and finished_at is null and run_at <= scheduled_at`;
/**
 * Calls of one project in hand: as many as a quick endpoint's four places work off between two rounds, while the rest wait in the
 * process. The backlog behind them stays in Postgres, where it costs nothing: let out, each of thousands would knock several times a second.
 * What an endpoint that hangs has sent away to sleep is not counted, so that it takes no place from the project's others.
 */
const WEBHOOKS_IN_HAND_MAX = 64;
export const webhookLine: Line = {
  room: `
${WEBHOOKS_IN_HAND_MAX} - (select count(*)::int from (
  select from job where project_id = t.project_id and ${WEBHOOK_IN_HAND} limit ${WEBHOOKS_IN_HAND_MAX}) held)`,
};
