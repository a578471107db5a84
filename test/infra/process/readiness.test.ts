import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { limitConnection } from '../../../infra/limits/quota-counter.ts';
import { readiness } from '../../../infra/process/readiness.ts';
import { freshDatabase, freshRedis } from '../../support/servers.ts';

function redisAt(url: string): Redis {
  const redis = new Redis(url, limitConnection);
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

test('both are there; a database without our schema is down, and a Redis that is away is no reason to wait', async () => {
  const database = await freshDatabase();
  const redis = redisAt(await freshRedis());
  await once(redis, 'ready');
  const pool = new Pool({ connectionString: database.url, max: 1 });
  const owner = new Pool({ connectionString: database.ownerUrl, max: 1 });
  expect(await readiness(pool, redis)).toEqual({ postgres: 'up', redis: 'up' });
  await owner.query('alter table job rename to job_of_another_version');
  expect(await readiness(pool, redis)).toMatchObject({ postgres: 'down' });
  expect(await readiness(pool, redisAt('redis://127.0.0.1:1'))).toMatchObject({ redis: 'away' });
  await Promise.all([pool.end(), owner.end()]);
  await database.drop();
});

test('a Postgres that takes the connection and says nothing is down within two seconds', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const redis = redisAt('redis://127.0.0.1:1');
  const startedMs = performance.now();
  const pool = new Pool({ connectionString: `postgres://nobody@127.0.0.1:${port}/none`, max: 1 });
  pool.on('error', () => undefined);
  expect(await readiness(pool, redis)).toEqual({ postgres: 'down', redis: 'away' });
  expect(performance.now() - startedMs).toBeGreaterThan(1_900);
  silent.close();
});
