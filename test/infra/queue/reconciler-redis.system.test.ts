import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { ownRedis } from '../../support/own-redis.ts';
import { type Workshop, workshop } from '../../workers/workshop.ts';

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
