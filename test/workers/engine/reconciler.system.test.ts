import { expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { freePort } from '../../../infra/embedded/port.ts';
import { deliveries } from '../../../infra/postgres/verify/deliveries.ts';
import { ownRedis } from '../../support/own-redis.ts';
import { pause, resume, workshop } from '../workshop.ts';

const never = new AbortController().signal;

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
