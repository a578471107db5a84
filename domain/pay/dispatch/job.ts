import { z } from 'zod';
import { defineJob } from '../../job/define-job.ts';

/** Longest wait for a rail's answer. `CALL_LOST_MS` counts on it. */
export const RAIL_TIMEOUT_MS = 10_000;

/** Dispatches in one worker's hands: while eight of them are at the rail, up to 24 commit, and the others are read or ended. */
const CONCURRENCY = 48;
/** 100 ms: its window lasts for a second of the fastest rail, and a round costs much the same for one payment as for twenty. */
const BACKLOG_MS = 100;

/**
 * One payment order to a rail. The dispatch, not its job, is the truth of the payment: a job that was lost is made anew, and one that wakes
 * twice finds what was done. Its attempts are rail calls, which are kept longer than attempts are.
 */
export const payout = defineJob({
  kind: 'payout',
  payload: z.object({ dispatch_id: z.uuid() }),
  labels: z.object({
    /** The last four digits: `•••• 1234`. */
    card: z.string(),
  }),
  attemptsMax: 1,
  delaysMs: [],
  unknownMax: 1,
  attemptTimeoutMs: RAIL_TIMEOUT_MS,
  concurrency: CONCURRENCY,
  scheduler: { inFlightMax: 4 * CONCURRENCY, backlogMs: BACKLOG_MS, turnsAreAsked: true },
  deadline: 'expires',
  // A payment has an approval of its own: nobody tries one again from a board, nor cancels it there.
  staff: ['pause', 'resume'],
  // Each payment has a page of its own, and Redis holds no more of a batch than what is under way.
  keepsEnded: false,
});
