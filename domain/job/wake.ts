import type { FinalState } from './job.ts';
import type { JobId } from '../shared/ids.ts';

/** What a wake-up of a job came to; `infra/queue/queue-worker.ts` alone turns it into BullMQ's language. */
export type Woken =
  | { readonly kind: 'finished'; readonly state: FinalState; readonly reason: string | null }
  /** `failed`: the last attempt did, so that BullMQ counts and shows a retry. */
  | { readonly kind: 'waiting'; readonly until: Date; readonly failed: string | null };

/**
 * Does what is due of one job: reads its row, decides, makes attempts, records them. Safe to run twice: attempts are
 * opened by compare-and-set, and a finished row does nothing.
 */
export type Wake = (id: JobId, signal: AbortSignal) => Promise<Woken>;
