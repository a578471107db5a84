import { z } from 'zod';
import { defineJob } from '../job/define-job.ts';

/** The whole curve takes 3 days and 4 hours, and a quarter more with its jitter; what waits for its turn has as long again. */
export const EVENT_LIFE_DAYS = 7;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** contracts.md §2, after Standard Webhooks: soon, for a restart; then over days, for what a person must mend. */
export const webhookDelaysMs: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** One event on its way to one place. The event stands once, however many places it goes to. */
export const webhook = defineJob({
  kind: 'webhook',
  payload: z.object({
    event_id: z.uuid(),
    /** Null: to the event's own `callback_url`. */
    endpoint_id: z.uuid().nullable(),
  }),
  attemptsMax: webhookDelaysMs.length + 1,
  backoffFirstMs: 5 * SECOND,
  // Standard Webhooks asks for 15 to 30 s.
  attemptTimeoutMs: 15 * SECOND,
  // A hundred endpoints that hang hold four places each.
  concurrency: 400,
});
