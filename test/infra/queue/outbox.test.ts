import { expect, test } from 'vitest';
import { workshop } from '../../workers/workshop.ts';

test('committed and not published: the reconciler publishes it, once', async () => {
  const { accept, newReconciler, queues, clock, pool } = await workshop();
  const ids = await accept(3, { publish: false });
  const { tick } = newReconciler();
  await queues.redis.set(
    'navbat:redis-generation',
    /run_id:(\w+)/.exec(await queues.redis.info('server'))?.[1] ?? '',
  );
  expect(await queues.of['otp-send'].getJobCountByTypes('waiting')).toBe(0);
  clock.aheadMs = 6_000;
  expect(await tick()).toMatchObject({ republished: 3, reissued: 0 });
  expect(await tick()).toMatchObject({ republished: 0, reissued: 0 });
  const waiting = await queues.of['otp-send'].getWaiting();
  expect(new Set(waiting.map(({ id }) => id))).toEqual(new Set(ids));
  const { rowCount } = await pool.query('select from outbox where published_at is null');
  expect(rowCount).toBe(0);
});
