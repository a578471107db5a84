import type { ReleasedKind, Release } from '../postgres/job/scheduler.ts';
import type { Queues } from './queues.ts';
import { addTickets } from './entries.ts';

/** What the releaser asks of Postgres and Redis together. What it releases and cannot publish, the sweep finds in the outbox. */
export function releaseQueues(queues: Queues, release: Release, chatGapMs: number, now: () => Date) {
  return {
    inHand: async (kind: ReleasedKind) => {
      const counts = await queues.of[kind].getJobCounts('wait', 'active', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    release: async (kind: ReleasedKind, room: number) => {
      const at = now();
      const { outboxId, tickets, more, passed } = await release(kind, room, chatGapMs, at);
      if (outboxId !== null) {
        await addTickets(queues, tickets, at);
        await release.published(outboxId, now());
      }
      return { released: tickets.length, more, passed };
    },
  };
}
