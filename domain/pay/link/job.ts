import { z } from 'zod';
import { defineJob } from '../../job/define-job.ts';

const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000];
/** The bot, and three providers of SMS: each is tried twice (`TRIES_A_WAY`). */
const ATTEMPTS_MAX = 8;
const CONCURRENCY = 20;

/** One link to one payee. The link is encrypted on its row until it has left, and stands nowhere else. */
export const payoutLink = defineJob({
  kind: 'payout-link',
  payload: z.object({ link_id: z.uuid() }),
  labels: z.object({
    /** Masked, such as `+998•••••••67`. */
    to: z.string(),
  }),
  attemptsMax: ATTEMPTS_MAX,
  // The first go on to the next way; the last outlive a provider's bad hour. Nobody waits for a link by the second.
  delaysMs: [SECOND_MS, 2 * SECOND_MS, 5 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS],
  // Each way decides by itself: an SMS that may have left is not repeated (`nextWay`), a message of the bot is.
  unknownMax: ATTEMPTS_MAX,
  attemptTimeoutMs: 10_000,
  concurrency: CONCURRENCY,
  // Its jobs are written by functions of the database, which ask for a turn.
  scheduler: { inFlightMax: 2 * CONCURRENCY, turnsAreAsked: true },
  deadline: 'expires',
  // Finance sends a link again by a route of its own, which is bounded and written down.
  staff: ['pause', 'resume'],
});
