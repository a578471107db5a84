import { z } from 'zod';
import { defineJob } from '../../job/define-job.ts';

/** Sessions that are metered in one transaction: some milliseconds of reading for each. */
export const METER_SESSIONS_MAX = 200;
/** Each has many sessions: two are metered, and the next two are read. */
const CONCURRENCY = 4;

const [SECOND_MS, MINUTE_MS] = [1_000, 60_000];

/**
 * Meters the sessions that wait for it: all their reports, each time. A session waits for one job at most, together with the others that had
 * reports in the same two seconds (`traffic_ask`). Done twice it writes the same, so that what ended unknown is simply done again. The
 * session, not its job, says whether reports wait: a job that was lost is made anew.
 */
export const trafficReport = defineJob({
  kind: 'traffic-report',
  payload: z.object({}),
  labels: z.object({}),
  attemptsMax: 5,
  // Only the database can fail; housekeeping makes a new job a minute after the last try.
  delaysMs: [SECOND_MS, 5 * SECOND_MS, 30 * SECOND_MS, MINUTE_MS],
  unknownMax: 5,
  attemptTimeoutMs: 15_000,
  concurrency: CONCURRENCY,
  // Its jobs are written by a function of the database, which asks for a turn.
  scheduler: { inFlightMax: 2 * CONCURRENCY, turnsAreAsked: true },
  deadline: 'expires',
  staff: ['pause', 'resume'],
  // The session shows what was metered.
  keepsEnded: false,
});
