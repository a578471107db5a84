import { closeQueues, type Queues } from './queues.ts';
import { type DueEntry, reissueEntries } from './entries.ts';

/** Says which life of Redis was last compared with Postgres as a whole, by its `run_id`. */
const GENERATION_KEY = 'navbat:redis-generation';

/** What the reconciler asks of Redis. */
export function reconcilerRedis(queues: Queues) {
  return {
    reissue: (entries: readonly DueEntry[], now: Date) => reissueEntries(queues, entries, now),
    /** A restart, from whatever file, and a failover change the run id; a wipe removes the key. One comparison finds all three. */
    redisRun: () => runId(queues),
    mark: () => queues.redis.get(GENERATION_KEY),
    setMark: async (mark: string) => {
      await queues.redis.set(GENERATION_KEY, mark);
    },
    applyPauses: async (paused: ReadonlySet<string>) => {
      // A queue that has never seen its Redis waits for it without end; the tick has to come again.
      if (queues.redis.status !== 'ready') throw new Error('Redis is away');
      for (const [kind, queue] of Object.entries(queues.of)) {
        const isPaused = await queue.isPaused();
        if (paused.has(kind) && !isPaused) await queue.pause();
        if (!paused.has(kind) && isPaused) await queue.resume();
      }
    },
    close: () => closeQueues(queues),
  };
}

async function runId({ redis }: Queues): Promise<string> {
  const info = await redis.info('server');
  const id = /^run_id:(\w+)/m.exec(info)?.[1];
  if (!id) throw new Error('INFO of Redis has no run_id');
  return id;
}
