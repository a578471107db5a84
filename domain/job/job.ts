import { z } from 'zod';
import type { JobId } from '../shared/ids.ts';

export { JobId, ProjectId } from '../shared/ids.ts';

/** accepted → running → one of the five final states. `finished_at` is set with the final state and never before. */
export const jobStates = [
  'accepted',
  'running',
  'completed',
  'rejected',
  'exhausted',
  'cancelled',
  'expired',
] as const;
export type JobState = (typeof jobStates)[number];

export const finalStates = [
  'completed',
  'rejected',
  'exhausted',
  'cancelled',
  'expired',
] as const satisfies readonly JobState[];
export type FinalState = (typeof finalStates)[number];

/**
 * How one attempt ended.
 * - completed: the provider took it; `receipt` is its proof.
 * - rejected: final, no retry on this provider can help.
 * - failed: a passing fault; try again after a back-off.
 * - snoozed: the provider asked us to wait; costs no attempt.
 * - unknown: we cannot tell whether it happened. Money asks and never sends; a message may repeat once.
 */
export const attemptOutcomes = ['completed', 'rejected', 'failed', 'snoozed', 'unknown'] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/** What a worker's pure rules say of a job when its ticket wakes it. */
export type Step<Send> =
  | { readonly step: 'send'; readonly send: Send }
  | {
      readonly step: 'wait';
      readonly until: Date;
      readonly because: 'back-off' | 'confirmation' | 'provider-asked' | 'no-room';
    }
  | { readonly step: 'finish'; readonly state: FinalState; readonly reason: string | null };

/** All that Redis holds of a job. Labels are safe on a board: never a code, a text or a whole number. */
export interface Ticket {
  readonly jobId: JobId;
  readonly kind: string;
  readonly labels: EntryLabels;
}

/** The project's slug, and what the kind's own schema names (`JobDefinition.labels`). */
export const EntryLabels = z.object({ project: z.string() }).catchall(z.string());
export type EntryLabels = z.infer<typeof EntryLabels>;
