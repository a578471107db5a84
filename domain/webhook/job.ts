import { z } from 'zod';
import { defineJob, everyCommand } from '../job/define-job.ts';

/** The whole curve takes 3 days and 4 hours, and a quarter more with its jitter; what waits for its turn has as long again. */
export const EVENT_LIFE_DAYS = 7;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** contracts.md §2, after Standard Webhooks: soon, for a restart; then over days, for what a person must mend. */
const delaysMs: readonly number[] = [
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

/** A hundred endpoints that hang hold four places each. */
const CONCURRENCY = 400;

/** One event on its way to one place. The event stands once, however many places it goes to. */
export const webhook = defineJob({
  kind: 'webhook',
  payload: z.object({
    event_id: z.uuid(),
    /** Null: to the event's own `callback_url`. */
    endpoint_id: z.uuid().nullable(),
  }),
  labels: z.object({
    channels: z.string(),
    /** The host that is called. */
    to: z.string(),
  }),
  attemptsMax: delaysMs.length + 1,
  delaysMs,
  // A receiver knows a repeat by its webhook-id.
  unknownMax: delaysMs.length + 1,
  // Standard Webhooks asks for 15 to 30 s.
  attemptTimeoutMs: 15 * SECOND,
  concurrency: CONCURRENCY,
  scheduler: {
    inFlightMax: 2 * CONCURRENCY,
    // A round costs Postgres some 3 ms, however few it lets out; callbacks wait for it as long as an idle queue's do.
    backlogMs: 75,
    roundsMax: 1,
    turnsAreAsked: true,
  },
  deadline: 'expires',
  staff: everyCommand,
});
