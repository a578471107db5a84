import type { QueueEntry } from '../../domain/job/job.ts';
import type { Outbox } from '../../domain/job/outbox.ts';
import type { Queues } from './queues.ts';
import { addEntries } from './entries.ts';

/** Batches on their way to Redis. More than this, and Redis is slower than Postgres: the reconciler brings the rest at its own pace. */
const PUBLISHING_MAX = 64;

/**
 * Publishes after the commit, without holding up the answer. What fails here stays unpublished in its outbox row, and the
 * reconciler finds it after some seconds.
 */
export function queueOutbox(queues: Queues, now: () => Date): Outbox & { idle(): Promise<void> } {
  let published: string[] = [];
  const publishing = new Set<Promise<void>>();
  return {
    publish(outboxId, entries: readonly QueueEntry[]) {
      if (publishing.size >= PUBLISHING_MAX) return;
      const at = now();
      const due = entries.map((entry) => ({ ...entry, runAt: at }));
      const done = addEntries(queues, due, at).then(
        () => void published.push(outboxId),
        () => undefined,
      );
      publishing.add(done);
      void done.finally(() => publishing.delete(done));
    },
    takePublished() {
      const taken = published;
      published = [];
      return taken;
    },
    /** For a drain: what was committed is on its queue, or left to the reconciler. */
    idle: async () => {
      await Promise.all(publishing);
    },
  };
}
