import type { SchedulerQueries } from '../postgres/job/scheduler.ts';
import { queueOf, type Queues } from './queues.ts';
import { addEntries } from './entries.ts';

/** What the scheduler asks of Postgres and Redis together. What it schedules and cannot publish, the reconciler finds in the outbox. */
export function schedulerQueues(queues: Queues, turns: SchedulerQueries, now: () => Date) {
  return {
    inHand: async (kind: string) => {
      const counts = await queueOf(queues, kind).getJobCounts('wait', 'active', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    schedule: async (kind: string, room: number) => {
      const at = now();
      const { outboxId, entries, more, passed } = await turns.round(kind, room, at);
      if (outboxId !== null) {
        await addEntries(queues, entries, at);
        await turns.published(outboxId, now());
      }
      return { scheduled: entries.length, more, passed };
    },
  };
}
