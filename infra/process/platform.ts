import { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { jobsOf } from '../../domain/products.ts';
import { limitConnection } from '../limits/quota-counter.ts';
import { hotPool } from '../postgres/engine/hot-pool.ts';
import { closeQueues, openQueues, producerRedis, type Queues } from '../queue/queues.ts';
import type { Config } from './config.ts';
import { type KeyedHash, keyedHash, type Seal, sealer } from './crypto.ts';
import type { Logger } from './log.ts';

/** What every part of a process stands on: `main.ts` opens it once, each `wire.ts` takes of it what its context needs. */
export interface Platform<Of> {
  readonly config: Of;
  readonly log: Logger;
  readonly clock: () => Date;
  readonly hash: KeyedHash;
  readonly encrypt: Seal;
  readonly pools: {
    /** For statements that batch or lock. */
    readonly hot: Pool;
    /** For short reads. */
    readonly read: Pool;
  };
  /** For what is counted over all processes; it refuses at once while Redis is away. */
  readonly redis: Redis;
  /** Of the kinds whose products are on. */
  readonly queues: Queues;
  readonly close: () => Promise<void>;
}

type Needed = Pick<Config, 'DATABASE_URL' | 'REDIS_URL' | 'PEPPER' | 'SEAL_KEYS' | 'NAVBAT_PRODUCTS'>;

/** @param read a pool of its own for short reads; without it they share the hot one. */
export function openPlatform<Of extends Needed>(
  config: Of,
  log: Logger,
  { connectionsMax, read }: { readonly connectionsMax: number; readonly read?: Pool },
): Platform<Of> {
  const hot = hotPool(config.DATABASE_URL, connectionsMax);
  const redis = new Redis(config.REDIS_URL, limitConnection);
  // Without a listener, a connection that breaks would end the process; each use sees its own failure.
  redis.on('error', (err: Error) => log.debug({ err }, 'connection lost'));
  const queues = openQueues(
    producerRedis(config.REDIS_URL, (err) => log.warn({ err }, 'redis error')),
    jobsOf(config.NAVBAT_PRODUCTS),
  );
  return {
    config,
    log,
    clock: () => new Date(),
    hash: keyedHash(config.PEPPER),
    encrypt: sealer(config.SEAL_KEYS),
    pools: { hot, read: read ?? hot },
    redis,
    queues,
    close: async () => {
      redis.disconnect();
      await closeQueues(queues);
      await Promise.all([...new Set([hot, read ?? hot])].map((pool) => pool.end()));
    },
  };
}
