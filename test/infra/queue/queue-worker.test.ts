import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { startRedis } from '../../../infra/embedded/redis.ts';
import { startQueueWorker } from '../../../infra/queue/queue-worker.ts';
import { workerRedis } from '../../../infra/queue/queues.ts';
import { type Workshop, workshop } from '../../workers/workshop.ts';

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

const pause = (pool: Workshop['pool']) =>
  pool.query(`insert into queue (kind, paused_at) values ('otp-send', now())
    on conflict (kind) do update set paused_at = now()`);
const resume = (pool: Workshop['pool']) => pool.query('update queue set paused_at = null');

test('between a wipe and the next look of the reconciler, a paused kind sends nothing', async () => {
  const redis = await ownRedis();
  const shop = await workshop(redis.url);
  await pause(shop.pool);
  await shop.newReconciler().tick();
  const connection = workerRedis(redis.url, () => undefined);
  const worker = startQueueWorker({
    kind: 'otp-send',
    wake: shop.worker(),
    concurrency: 10,
    connection,
    onSurprise: () => undefined,
    onError: () => undefined,
  });
  onTestFinished(async () => {
    await worker.drain(1_000);
    connection.disconnect();
  });
  await shop.queues.redis.flushall();
  const [id] = await shop.accept(1);
  const queue = shop.queues.of['otp-send'];
  while ((await queue.getJobState(id as string)) !== 'delayed') await sleep(20);
  expect(shop.sandbox.calls()).toEqual([]);

  await resume(shop.pool);
  await shop.sandbox.waitForMessage({});
  expect(await shop.attemptsOf(id as JobId)).toHaveLength(1);
});
