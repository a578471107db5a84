import { once } from 'node:events';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { LIMIT_TIMEOUT_MS, limitConnection, quotaCounter } from '../../../infra/limits/quota-counter.ts';
import { freshRedis } from '../../support/servers.ts';

test('a process that stands still for a moment does not take Redis for gone', async () => {
  const redis = new Redis(await freshRedis(), limitConnection);
  redis.on('error', () => undefined);
  await once(redis, 'ready');
  const counter = quotaCounter(redis);
  const quota = { name: 'key', subject: 'standing-still', limit: 1 } as const;
  const first = counter.take([quota]);
  // The command is on its way, and its answer comes while nobody reads.
  await new Promise((resolve) => setImmediate(resolve));
  const until = performance.now() + 2 * LIMIT_TIMEOUT_MS;
  while (performance.now() < until);
  expect((await first)[0].taken).toBe(1);
  expect(counter.state()).toBe('shared');
  counter.close();
  redis.disconnect();
});
