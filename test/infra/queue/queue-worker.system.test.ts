import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { startQueueWorker } from '../../../infra/queue/queue-worker.ts';
import { workerRedis } from '../../../infra/queue/queues.ts';
import { ownRedis } from '../../support/own-redis.ts';
import { pause, resume, workshop } from '../../workers/workshop.ts';

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
