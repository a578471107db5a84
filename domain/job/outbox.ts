import type { QueueEntry } from './job.ts';

/** Brings to their queues what an intake has committed. */
export interface Outbox {
  publish(outboxId: string, entries: readonly QueueEntry[]): void;
  /** Batches published since the last call: the next commit marks them. */
  takePublished(): readonly string[];
}
