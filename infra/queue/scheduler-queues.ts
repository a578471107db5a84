import type { Release } from '../postgres/job/scheduler.ts';
import { queueOf, type Queues } from './queues.ts';
import { addTickets } from './entries.ts';

/** What the releaser asks of Postgres and Redis together. What it releases and cannot publish, the sweep finds in the outbox. */
export function releaseQueues(queues: Queues, release: Release, now: () => Date) {
  return {
    inHand: async (kind: string) => {
      const counts = await queueOf(queues, kind).getJobCounts('wait', 'active', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    release: async (kind: string, room: number) => {
      const at = now();
      const { outboxId, tickets, more, passed } = await release.round(kind, room, at);
      if (outboxId !== null) {
        await addTickets(queues, tickets, at);
        await release.published(outboxId, now());
      }
      return { released: tickets.length, more, passed };
    },
  };
}
