import type { AttemptOutcome, FinalState } from './job.ts';
import type { JobId } from '../shared/ids.ts';

/** What stands in Postgres of a job's attempts and state. Every method is batched with the calls of the other jobs in hand. */
export interface JobStore {
  /**
   * Opens attempt `n` by compare-and-set. `lost`: the job has finished, or another worker holds a later attempt.
   * An attempt that a dead worker left open must be closed first (`closeAbandoned`).
   */
  open(attempt: OpeningAttempt): Promise<'opened' | 'lost'>;
  /**
   * Records how attempt `n` ended and what follows, in one commit. A late close of an attempt that somebody else has
   * closed changes nothing; a job that was settled meanwhile stays as it is.
   */
  close(attempt: ClosingAttempt): Promise<ClosedAttempt>;
  /** Ends a job without an attempt. */
  finish(id: JobId, state: FinalState, reason: string | null): Promise<void>;
  /**
   * Its queue entry, or the one that the reconciler issues in its place, sleeps until then. By compare-and-set on the attempts
   * made: where a further one was opened since they were read, its end decides when the job goes on.
   */
  postpone(id: JobId, attemptsMade: number, until: Date): Promise<void>;
  /** Closes attempt `n` as unknown, which a dead worker left open. A later one, or one opened after `takenAt`, is a living worker's. */
  closeAbandoned(id: JobId, n: number, takenAt: Date): Promise<void>;
}

export interface OpeningAttempt {
  readonly jobId: JobId;
  readonly n: number;
  readonly channel: string | null;
  readonly provider: string;
  /** Where the provider takes an id of ours. */
  readonly providerReference?: string | undefined;
  /** Why this provider. */
  readonly chosen?: string | undefined;
  /** Why what was tried or passed by before it did not do: a reason; absent for the first. */
  readonly chosenAfter?: string | undefined;
}

export interface ClosingAttempt {
  readonly jobId: JobId;
  readonly n: number;
  readonly outcome: AttemptOutcome;
  readonly reason: string | null;
  readonly providerReference: string | null;
  readonly costMicros: bigint | null;
  readonly costCurrency: string | null;
  /** As how many messages it is billed. */
  readonly parts?: number | undefined;
  /** In the provider's own currency, where that is not what budgets count. */
  readonly priceMicros?: bigint | undefined;
  readonly priceCurrency?: string | undefined;
  readonly latencyMs: number;
  /** The provider's own words, made safe. */
  readonly detail?: string | undefined;
  /** How long the provider asked us to wait: a later wake-up must know it too. */
  readonly retryAfterMs?: number | undefined;
  readonly next: { readonly state: FinalState; readonly reason: string | null } | { readonly runAt: Date };
}

export interface ClosedAttempt {
  /** A callback came before the close did: decide again. */
  readonly reported: boolean;
  /** The job had been settled meanwhile. */
  readonly settled: boolean;
}
