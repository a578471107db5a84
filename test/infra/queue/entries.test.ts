import { expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { ownRedis } from '../../support/own-redis.ts';
import { workshop } from '../../workers/workshop.ts';

test('a reissued queue entry waits as long as the lost one would have', async () => {
  const shop = await workshop((await ownRedis()).url);
  const [id] = await shop.accept(1);
  await shop.store.postpone(id as JobId, 0, new Date(Date.now() + 60_000));
  await shop.queues.redis.flushall();
  await shop.newReconciler().tick();
  const queue = shop.queues.of['otp-send'];
  const [entry] = await queue.getDelayed();
  expect(entry?.id).toBe(id);
  expect(entry?.delay).toBeGreaterThan(55_000);
});
