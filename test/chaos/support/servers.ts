import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type EmbeddedPostgres, startPostgres } from '../../../infra/embedded/postgres.ts';
import { postgresBinaries } from '../../../infra/embedded/postgres-binaries.ts';
import { run } from '../../../infra/embedded/process.ts';
import { type EmbeddedRedis, startRedis } from '../../../infra/embedded/redis.ts';
import { prepareSite } from '../../../infra/embedded/data-directory.ts';

/** How a Postgres goes: sessions ended politely, processes ended at once, or the postmaster killed. */
export type PostgresEnd = 'fast' | 'immediate' | 'kill';

/** Postgres and Redis of one run, each of which comes back at its own address with its own data. */
export interface Servers {
  /** As navbat_app, and as navbat_owner. */
  readonly postgres: { readonly url: string; readonly ownerUrl: string };
  readonly redisUrl: string;
  restartPostgres(how: PostgresEnd): Promise<void>;
  /** Stops Redis for so long, and starts it on what it wrote. */
  stopRedis(forMs: number): Promise<void>;
  killRedis(): Promise<void>;
  flushRedis(): Promise<void>;
  /** Copies its files as they are now; the answer kills it and starts it on that copy. */
  copyRedis(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const STOP_TIMEOUT_MS = 30_000;

export async function startServers(directory: string): Promise<Servers> {
  await mkdir(directory, { recursive: true, mode: 0o711 });
  let postgres = await startPostgres({ directory });
  let redis = await startRedis({ directory });
  /** A run that is cut short in the middle of a restart must not leave what comes up afterwards. */
  let isOver = false;
  const postgresAgain = async () => {
    if (isOver) return;
    postgres = await startPostgres({ directory, port: postgres.port });
    if (isOver) await postgres.stop();
  };
  const redisAgain = async () => {
    if (isOver) return;
    redis = await startRedis({ directory, port: redis.port });
    if (isOver) await redis.stop();
  };
  return {
    postgres: { url: postgres.url, ownerUrl: postgres.ownerUrl },
    redisUrl: redis.url,
    async restartPostgres(how) {
      await endPostgres(directory, postgres, how);
      await postgresAgain();
    },
    async stopRedis(forMs) {
      await redis.stop();
      await sleep(forMs);
      await redisAgain();
    },
    async killRedis() {
      await redis.kill();
      await redisAgain();
    },
    flushRedis: () => withRedis(redis, (client) => client.flushall()),
    async copyRedis() {
      const [live, copy] = [join(redis.dataDirectory, 'appendonlydir'), join(directory, 'older-redis')];
      await rm(copy, { recursive: true, force: true });
      await cp(live, copy, { recursive: true });
      return async () => {
        await redis.kill();
        await rm(live, { recursive: true });
        await cp(copy, live, { recursive: true });
        await redisAgain();
      };
    },
    async close() {
      isOver = true;
      await redis.stop();
      await postgres.stop();
    },
  };
}

async function endPostgres(directory: string, postgres: EmbeddedPostgres, how: PostgresEnd): Promise<void> {
  if (how === 'kill') return postgres.kill();
  if (how === 'fast') return postgres.stop();
  const { account } = await prepareSite(directory);
  const { pgCtl } = await postgresBinaries(account);
  const stopped = await run(pgCtl, ['stop', '-w', '-m', 'immediate', '-D', postgres.dataDirectory], {
    account,
    timeoutMs: STOP_TIMEOUT_MS,
  });
  if (!stopped.ok) throw new Error(`Postgres was not stopped: ${stopped.output}`);
}

async function withRedis(redis: EmbeddedRedis, work: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(redis.url);
  try {
    await work(client);
  } finally {
    client.disconnect();
  }
}
