import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { QueueEntry } from '../../domain/job/job.ts';
import type { JobRegistry } from '../../domain/job/define-job.ts';

/** Hash-tagged, so that in a cluster all keys of one queue share a slot and two queues need not. */
export const prefixOf = (kind: string) => `{${kind}}`;

/** A producer fails at once when Redis is away: the row is safe, and the reconciler will publish it. */
const producerOptions = { enableOfflineQueue: false, maxRetriesPerRequest: 1, connectTimeout: 5_000 };
/** A worker waits for its Redis to come back. */
const workerOptions = { maxRetriesPerRequest: null, connectTimeout: 5_000 };
/** A dead Redis says the same every second. */
const ERRORS_EVERY_MS = 60_000;

/** A queue for each kind of a registry. */
export interface Queues<Kind extends string = string> {
  readonly redis: Redis;
  readonly jobs: JobRegistry;
  readonly of: Readonly<Record<Kind, Queue<QueueEntry>>>;
}

/** @throws Error where this process has no such kind: a bug of the caller's. */
export function queueOf({ of }: Queues, kind: string): Queue<QueueEntry> {
  const queue = of[kind];
  if (!queue) throw new Error(`no queue of the kind ${kind}`);
  return queue;
}

export const producerRedis = (url: string, onError: (error: Error) => void): Redis =>
  listened(new Redis(url, producerOptions), onError);

export const workerRedis = (url: string, onError: (error: Error) => void): Redis =>
  new Redis(url, workerOptions).on('error', onError);

/** The connection broke or can't be made: of whatever else an error may tell, this is all one outage. */
export const isConnectionLoss = (error: Error): boolean =>
  ('code' in error && /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/.test(String(error.code))) ||
  error.message === 'Connection is closed.';

export function openQueues<Jobs extends JobRegistry>(redis: Redis, jobs: Jobs): Queues<keyof Jobs & string> {
  const open = (kind: string) => {
    const queue = new Queue<QueueEntry>(kind, {
      connection: redis,
      prefix: prefixOf(kind),
      skipVersionCheck: true,
    });
    queue.on('error', () => undefined); // The connection's own listener has told it.
    return [kind, queue] as const;
  };
  return {
    redis,
    jobs,
    of: Object.fromEntries(Object.keys(jobs).map(open)) as Queues<keyof Jobs & string>['of'],
  };
}

export async function closeQueues(queues: Queues): Promise<void> {
  await Promise.allSettled(Object.values(queues.of).map((queue) => queue.close()));
  queues.redis.disconnect();
}

function listened(redis: Redis, onError: (error: Error) => void): Redis {
  let toldAt = Number.NEGATIVE_INFINITY;
  redis.on('error', (error: Error) => {
    if (performance.now() - toldAt < ERRORS_EVERY_MS) return;
    toldAt = performance.now();
    onError(error);
  });
  return redis;
}
