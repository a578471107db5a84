import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { freePort } from '../../../infra/embedded/port.ts';
import { startRedis } from '../../../infra/embedded/redis.ts';
import { deliveries } from '../../../infra/postgres/verify/deliveries.ts';
import { startQueueWorker } from '../../../infra/queue/queue-worker.ts';
import { workerRedis } from '../../../infra/queue/queues.ts';
import { type Workshop, workshop } from '../workshop.ts';

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
const never = new AbortController().signal;

/** What was published may not have been marked so: the first tick that finds it this old does, and counts it as published again. */
const OLD_MS = 20_000;

/** Reconciles once, so that whatever a later tick brings back was lost since, however slow the machine is. */
async function reconcileOnce(shop: Workshop) {
  const { tick } = shop.newReconciler();
  shop.clock.aheadMs = OLD_MS;
  await tick();
  return tick;
}

async function untilReachable({ queues }: Workshop): Promise<void> {
  while (queues.redis.status !== 'ready') await sleep(20);
}

test('after a wipe every unfinished job has a queue entry again, and no finished one', async () => {
  const shop = await workshop((await ownRedis()).url);
  const ids = await shop.accept(50);
  const [finished, ...rest] = ids;
  await shop.store.finish(finished as JobId, 'cancelled', 'cancelled-by-staff');
  const tick = await reconcileOnce(shop);
  await shop.queues.redis.flushall();

  expect(await tick()).toMatchObject({ reissued: 49 });
  expect(await tick()).toMatchObject({ reissued: 0 });
  const waiting = await shop.queues.of['otp-send'].getWaiting();
  expect(new Set(waiting.map(({ id }) => id))).toEqual(new Set(rest));
});

test('after a restart of Redis, under whatever file, all queue entries are compared with Postgres again', async () => {
  const redis = await ownRedis();
  const shop = await workshop(redis.url);
  await shop.accept(1_200);
  const tick = await reconcileOnce(shop);
  // What an older file lacks, more than one audit's page of it.
  const lost = (await shop.queues.of['otp-send'].getWaiting(0, 1_099)).map(({ id }) => id ?? '');
  await Promise.all(lost.map((id) => shop.queues.of['otp-send'].remove(id)));
  await redis.restart();
  await untilReachable(shop);

  expect(await tick()).toMatchObject({ reissued: 1_100 });
});

test('a queue entry that was removed is found by the audit, and so is one that BullMQ keeps as failed', async () => {
  const shop = await workshop();
  const ids = await shop.accept(20);
  const tick = await reconcileOnce(shop);
  const queue = shop.queues.of['otp-send'];
  await queue.remove(ids[3] as string);
  const failed = await queue.getJob(ids[7] as string);
  await shop.queues.redis.lrem(queue.toKey('wait'), 1, failed?.id ?? '');
  await shop.queues.redis.zadd(queue.toKey('failed'), 1, failed?.id ?? '');
  // As BullMQ does in the same script.
  await shop.queues.redis.hset(queue.toKey(failed?.id ?? ''), 'finishedOn', 1);

  expect(await tick()).toMatchObject({ reissued: 2 });
  expect(await queue.getJobCountByTypes('waiting')).toBe(20);
});

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

test('a paused queue is paused again after a wipe, before anything is issued', async () => {
  const shop = await workshop((await ownRedis()).url);
  await shop.accept(5);
  await pause(shop.pool);
  const { tick } = shop.newReconciler();
  await tick();
  const queue = shop.queues.of['otp-send'];
  expect(await queue.isPaused()).toBe(true);
  await shop.queues.redis.flushall();
  await tick();
  expect(await queue.isPaused()).toBe(true);
  expect(await queue.getJobCountByTypes('waiting')).toBe(5);
  await resume(shop.pool);
  await tick();
  expect(await queue.isPaused()).toBe(false);
});

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

test('a callback that came while Redis was away wakes its job when the reconciler next looks', async () => {
  const shop = await workshop();
  const [id] = await shop.accept(1);
  if (!id) throw new Error('none accepted');
  const queue = shop.queues.of['otp-send'];
  expect(await shop.worker()(id, never)).toMatchObject({ kind: 'waiting' });
  // As the queue leaves it: asleep until the confirmation's deadline.
  await queue.remove(id);
  await queue.add(
    'otp-send',
    { jobId: id, kind: 'otp-send', labels: { project: '', channels: '', to: '' } },
    { jobId: id, delay: 60_000 },
  );
  const report = { status: 'delivered', reason: null, at: new Date(), refunded: false } as const;
  const delivery = { jobId: id, attempt: 1, provider: 'twilio', reference: 'SM1', report };
  expect(await deliveries(shop.pool, shop.now).record(delivery)).toBe('wake');

  const { tick } = shop.newReconciler();
  shop.clock.aheadMs = 3_000;
  await tick();
  expect(await queue.getJobState(id)).toBe('waiting');
});

test('a callback that is repeated, because its first answer was lost, wakes its job again', async () => {
  const shop = await workshop();
  const [id] = await shop.accept(1);
  if (!id) throw new Error('none accepted');
  await shop.worker()(id, never);
  const report = { status: 'delivered', reason: null, at: new Date(), refunded: false } as const;
  const delivery = { jobId: id, attempt: 1, provider: 'twilio', reference: 'SM1', report };
  const record = () => deliveries(shop.pool, shop.now).record(delivery);
  expect(await record()).toBe('wake');
  expect(await record()).toBe('wake');
  await shop.worker()(id, never);
  expect(await shop.jobOf(id)).toMatchObject({ state: 'completed', reason: 'confirmed-by-sms' });
  expect(await record()).toBe('recorded');
});

test('a reconciler that was started without a Redis still lets time run out, tick after tick', async () => {
  const shop = await workshop(`redis://127.0.0.1:${await freePort()}`);
  const [first, second] = await shop.accept(2, { publish: false });
  await shop.pool.query(`update job set deadline_at = now() - interval '1 minute' where id = $1`, [first]);
  const { tick } = shop.newReconciler();
  await expect(tick()).rejects.toThrow('Redis is away');
  expect(await shop.jobOf(first as JobId)).toMatchObject({ state: 'expired' });
  await shop.pool.query(`update job set deadline_at = now() - interval '1 minute' where id = $1`, [second]);
  await expect(tick()).rejects.toThrow('Redis is away');
  expect(await shop.jobOf(second as JobId)).toMatchObject({ state: 'expired' });
});
