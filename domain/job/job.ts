import { z } from 'zod';
import type { JobId } from '../shared/ids.ts';

/**
 * queued → running or retrying → one of the five final states. Running: an attempt is open, or what it sent waits for its
 * confirmation; retrying: it waits for its next attempt. `finished_at` is set with the final state and never before.
 */
export const jobStates = [
  'queued',
  'running',
  'retrying',
  'completed',
  'rejected',
  'failed',
  'cancelled',
  'expired',
] as const;
export type JobState = (typeof jobStates)[number];

export const finalStates = [
  'completed',
  'rejected',
  'failed',
  'cancelled',
  'expired',
] as const satisfies readonly JobState[];
export type FinalState = (typeof finalStates)[number];

export const isFinal = (state: string): state is FinalState => finalStates.some((final) => final === state);

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

/** Why a provider made an attempt, where a channel has several; each is worded in `Chosen` (apps/http/fields.ts). */
export const providerChoices = ['listed', 'measured', 'trial', 'failover', 'resend'] as const;
export type ProviderChoice = (typeof providerChoices)[number];

/** What a worker's pure rules say of a job when its queue entry wakes it. */
export type Step<Send> =
  | { readonly kind: 'send'; readonly send: Send }
  | {
      readonly kind: 'wait';
      readonly until: Date;
      readonly because: 'back-off' | 'confirmation' | 'provider-asked' | 'no-room';
    }
  | { readonly kind: 'finish'; readonly state: FinalState; readonly reason: string | null };

/** All that Redis holds of a job. Labels are safe on a board: never a code, a text or a whole number. */
export interface QueueEntry {
  readonly jobId: JobId;
  readonly kind: string;
  readonly labels: EntryLabels;
}

/** The project's slug, and what the kind's own schema names (`JobDefinition.labels`). */
export const EntryLabels = z.object({ project: z.string() }).catchall(z.string());
export type EntryLabels = z.infer<typeof EntryLabels>;
