import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { startRedis } from '../../../infra/embedded/redis.ts';
import { workshop } from '../../workers/workshop.ts';

/** A Redis of the test's own: one that may be wiped as a whole, and restarted. */
async function ownRedis() {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-reconciler-'));
  await chmod(directory, 0o711);
  let redis = await startRedis({ directory });
  onTestFinished(async () => {
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    url: redis.url,
    restart: async () => {
      await redis.stop();
      redis = await startRedis({ directory, port: redis.port });
    },
  };
}

test('a reissued queue entry waits as long as the lost one would have', async () => {
  const shop = await workshop((await ownRedis()).url);
  const [id] = await shop.accept(1);
  await shop.store.postpone(id as JobId, new Date(Date.now() + 60_000));
  await shop.queues.redis.flushall();
  await shop.newReconciler().tick();
  const queue = shop.queues.of['otp-send'];
  const [entry] = await queue.getDelayed();
  expect(entry?.id).toBe(id);
  expect(entry?.delay).toBeGreaterThan(55_000);
});
