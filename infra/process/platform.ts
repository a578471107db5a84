import { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { JobRegistry } from '../../domain/job/define-job.ts';
import { jobsOf } from '../../domain/products.ts';
import { limitConnection } from '../limits/quota-counter.ts';
import { hotPool } from '../postgres/engine/hot-pool.ts';
import { closeQueues, openQueues, producerRedis, type Queues } from '../queue/queues.ts';
import { openClock } from './clock.ts';
import type { Config } from './config.ts';
import { type KeyedHash, keyedHash, type Encryption, rowEncryption } from './crypto.ts';
import type { Logger } from './log.ts';

/** What every part of a process stands on: `main.ts` opens it once, each `wire.ts` takes of it what its context needs. */
export interface Platform<Of> {
  readonly config: Of;
  readonly log: Logger;
  readonly clock: () => Date;
  readonly hash: KeyedHash;
  readonly encryption: Encryption;
  readonly pools: {
    /** For statements that batch or lock. */
    readonly hot: Pool;
    /** For short reads. */
    readonly read: Pool;
  };
  /** For what is counted over all processes; it refuses at once while Redis is away. */
  readonly redis: Redis;
  /** The kinds whose products are on. */
  readonly jobs: JobRegistry;
  /** Of those kinds. */
  readonly queues: Queues;
  readonly close: () => Promise<void>;
}

interface Extent {
  readonly connectionsMax: number;
  /** A pool of its own for short reads; without it they share the hot one. */
  readonly read?: Pool;
  /** In a test: kinds of its own too. */
  readonly jobs?: JobRegistry;
}

type Needed = Pick<
  Config,
  'DATABASE_URL' | 'SANDBOX_CLOCK' | 'REDIS_URL' | 'PEPPER' | 'ENCRYPTION_KEYS' | 'NAVBAT_PRODUCTS'
>;

export async function openPlatform<Of extends Needed>(
  config: Of,
  log: Logger,
  { connectionsMax, read, jobs = jobsOf(config.NAVBAT_PRODUCTS) }: Extent,
): Promise<Platform<Of>> {
  const { clock, close: closeClock } = await openClock(config, log);
  const hot = hotPool(config.DATABASE_URL, connectionsMax);
  const redis = new Redis(config.REDIS_URL, limitConnection);
  // Without a listener, a connection that breaks would end the process; each use sees its own failure.
  redis.on('error', (err: Error) => log.debug({ err }, 'connection lost'));
  const queues = openQueues(
    producerRedis(config.REDIS_URL, (err) => log.warn({ err }, 'redis error')),
    jobs,
  );
  return {
    config,
    log,
    clock,
    hash: keyedHash(config.PEPPER),
    encryption: rowEncryption(config.ENCRYPTION_KEYS),
    pools: { hot, read: read ?? hot },
    redis,
    jobs,
    queues,
    close: async () => {
      redis.disconnect();
      await closeClock();
      await closeQueues(queues);
      await Promise.all([...new Set([hot, read ?? hot])].map((pool) => pool.end()));
    },
  };
}
