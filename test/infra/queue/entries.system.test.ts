import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { jobs } from '../../../domain/jobs.ts';
import { JobId } from '../../../domain/shared/ids.ts';
import { addEntries, type DueEntry } from '../../../infra/queue/entries.ts';
import { startQueueWorker } from '../../../infra/queue/queue-worker.ts';
import { closeQueues, openQueues, workerRedis } from '../../../infra/queue/queues.ts';
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

test('an entry that has ended is kept for who looks at a board, and of payments none is', async () => {
  const redis = await ownRedis();
  const queues = openQueues(
    workerRedis(redis.url, () => undefined),
    jobs,
  );
  const connection = workerRedis(redis.url, () => undefined);
  const at = new Date();
  const entryOf = (kind: string): DueEntry => {
    const jobId = JobId.parse(randomUUID());
    return { jobId, kind, labels: { project: 'shop' }, runAt: at };
  };
  const entries = [entryOf('payout'), entryOf('push')];
  await addEntries(queues, entries, at);
  const workers = entries.map(({ kind }) =>
    startQueueWorker({
      kind,
      wake: () => Promise.resolve({ kind: 'finished', state: 'completed', reason: null }),
      concurrency: 1,
      connection,
      onSurprise: () => undefined,
      onError: () => undefined,
    }),
  );
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.drain(1_000)));
    connection.disconnect();
    await closeQueues(queues);
  });
  const [payment, push] = entries.map(
    ({ kind, jobId }) =>
      () =>
        Object.entries(queues.of)
          .find(([name]) => name === kind)?.[1]
          .getJobState(jobId),
  );
  await expect.poll(() => push?.(), { timeout: 10_000 }).toBe('completed');
  await expect.poll(() => payment?.(), { timeout: 10_000 }).toBe('unknown');
});

test('a queue entry wakes where the clock of a sandbox was moved past the time of its row', async () => {
  const shop = await workshop((await ownRedis()).url);
  const [id] = await shop.accept(1);
  await shop.store.postpone(id as JobId, 0, new Date(Date.now() + 60_000));
  await shop.queues.redis.flushall();
  const { tick } = shop.newReconciler();
  await tick();
  const queue = shop.queues.of['otp-send'];
  await tick();
  expect(await queue.getJobState(id as JobId)).toBe('delayed');
  shop.clock.aheadMs = 120_000;
  await tick();
  expect(await queue.getJobState(id as JobId)).toBe('waiting');
});
