import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../infra/embedded/postgres.ts';
import { startRedis } from '../../infra/embedded/redis.ts';

/**
 * Holds one Postgres and one Redis for as long as its standard input stays open. The pipe closes however its parent
 * ends, by `kill -9` too, and so no server outlives a test run. Prints one line of JSON once both answer.
 */

/** One for each test file that asks for Redis, for many more files than there are. */
const REDIS_DATABASES = 512;

/** Linux's file system in memory. */
const IN_MEMORY = '/dev/shm';
/** What a run needs of it, its WAL and the databases that it has at a time, several times over. */
const IN_MEMORY_BYTES_MIN = 6 * 1024 ** 3;

/** A database is a thousand files: a disk takes three times the processor time to make them, and more where others were just removed. */
async function placeForData(): Promise<string> {
  const there = await statfs(IN_MEMORY).catch(() => undefined);
  return there && there.bavail * there.bsize >= IN_MEMORY_BYTES_MIN ? IN_MEMORY : tmpdir();
}

// Ctrl-C reaches the whole terminal; the servers go when the run has ended, not before.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
// A parent killed during the start leaves nobody to print for: the write fails, and the servers still have to stop.
process.stdout.on('error', () => undefined);
const parentGone = new Promise((resolve) => {
  process.stdin.once('end', resolve).once('error', resolve).resume();
});

const directory = await mkdtemp(join(await placeForData(), 'navbat-test-'));
// As root the servers run as somebody else, who has to pass through here.
await chmod(directory, 0o711);
const stops: (() => Promise<void>)[] = [];
try {
  // Tests kill processes, not machines: what fsync guards against cannot happen here, and files are made by the hundred.
  const postgres = await startPostgres({ directory, settings: { fsync: 'off' } });
  stops.push(postgres.stop);
  const redis = await startRedis({ directory, databases: REDIS_DATABASES });
  stops.push(redis.stop);
  const { url, ownerUrl, superuserUrl } = postgres;
  const line = {
    postgres: { url, ownerUrl, superuserUrl },
    redisUrl: redis.url,
    redisDatabases: REDIS_DATABASES,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  await parentGone;
} finally {
  await Promise.allSettled(stops.map((stop) => stop()));
  await rm(directory, { recursive: true, force: true });
}
