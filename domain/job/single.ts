import type { FinalState, JobState } from './job.ts';
import type { JobId, ProjectId } from '../shared/ids.ts';
import type { PastTry } from './retry.ts';

/** A job of a kind that makes one call to one provider, with all that its next step depends on. */
export interface SingleJob<Work> {
  readonly id: JobId;
  readonly projectId: ProjectId;
  readonly state: JobState;
  readonly finished: boolean;
  readonly reason: string | null;
  /** The queue is paused: the queue entry goes back to sleep. */
  readonly paused: boolean;
  readonly attemptsMade: number;
  readonly runAt: Date;
  readonly deadlineAt: Date;
  readonly requestId: string | null;
  /** When the attempt that is still open was opened, or null. */
  readonly openSince: Date | null;
  readonly past: readonly PastTry[];
  /** What to do; null when the row no longer says so in a form that we know; or why it must not be done any more. */
  readonly work: Work | NoWork | null;
}

/** Why a job must not be done any more, or not yet: it then sleeps, and costs no attempt. */
export type NoWork =
  | { readonly settled: FinalState; readonly reason: string }
  | { readonly postponedTo: Date };
