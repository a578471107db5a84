import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { Ticket } from '../../domain/job/job.ts';
import { type JobKind, jobKinds } from '../../domain/jobs.ts';

/** Hash-tagged, so that in a cluster all keys of one queue share a slot and two queues need not. */
export const prefixOf = (kind: string) => `{${kind}}`;

/** A producer fails at once when Redis is away: the row is safe, and the sweep will publish it. */
const producerOptions = { enableOfflineQueue: false, maxRetriesPerRequest: 1, connectTimeout: 5_000 };
/** A worker waits for its Redis to come back. */
const workerOptions = { maxRetriesPerRequest: null, connectTimeout: 5_000 };
/** A dead Redis says the same every second. */
const ERRORS_EVERY_MS = 60_000;

export interface Queues {
  readonly redis: Redis;
  readonly of: Readonly<Record<JobKind, Queue<Ticket>>>;
}

export const producerRedis = (url: string, onError: (error: Error) => void): Redis =>
  listened(new Redis(url, producerOptions), onError);

export const workerRedis = (url: string, onError: (error: Error) => void): Redis =>
  new Redis(url, workerOptions).on('error', onError);

/** The connection broke or can't be made: of whatever else an error may tell, this is all one outage. */
export const isConnectionLoss = (error: Error): boolean =>
  ('code' in error && /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/.test(String(error.code))) ||
  error.message === 'Connection is closed.';

export function openQueues(redis: Redis): Queues {
  const open = (kind: JobKind) => {
    const queue = new Queue<Ticket>(kind, {
      connection: redis,
      prefix: prefixOf(kind),
      skipVersionCheck: true,
    });
    queue.on('error', () => undefined); // The connection's own listener has told it.
    return [kind, queue] as const;
  };
  return { redis, of: Object.fromEntries(jobKinds.map(open)) as Queues['of'] };
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
