import { expect, test } from 'vitest';
import type { ClosingAttempt } from '../../../../domain/job/store.ts';
import { workshop } from '../../../workers/workshop.ts';

/** Of a queue entry. */
const LOCK_MS = 5_000;
const never = new AbortController().signal;
const completed = { outcome: 'completed', reason: null };

const lateClose: Omit<ClosingAttempt, 'jobId'> = {
  n: 1,
  outcome: 'completed',
  reason: null,
  providerReference: 'SMlate',
  costMicros: 1n,
  costCurrency: 'USD',
  latencyMs: 1,
  next: { state: 'completed', reason: 'approved' },
};

test('the late close of a frozen worker changes nothing', async () => {
  const { accept, store, worker, attemptsOf, jobOf, clock } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  await store.open({ jobId: id, n: 1, channel: 'sms', provider: 'twilio' });
  clock.aheadMs = LOCK_MS;
  await worker()(id, never);
  const before = [await attemptsOf(id), await jobOf(id)];

  await store.close({ ...lateClose, jobId: id });
  expect([await attemptsOf(id), await jobOf(id)]).toEqual(before);
});

test('two workers with the same queue entry make one attempt', async () => {
  const { accept, worker, attemptsOf, sandbox } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  await Promise.all([worker()(id, never), worker()(id, never)]);
  expect(await attemptsOf(id)).toEqual([{ n: 1, ...completed }]);
  expect(sandbox.inbox()).toHaveLength(1);
});

test('what a dead worker left open waits for its next attempt; what a living one has opened since stays in its hand', async () => {
  const { accept, store, pool, now, jobOf, clock } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  await store.open({ jobId: id, n: 1, channel: 'sms', provider: 'twilio' });
  expect(await jobOf(id)).toMatchObject({ state: 'running' });
  clock.aheadMs = LOCK_MS;
  await store.closeAbandoned(id, 1, now());
  // So it stands while it waits, for its back-off or for a breaker.
  expect(await jobOf(id)).toMatchObject({ state: 'retrying' });

  const before = now();
  await store.open({ jobId: id, n: 2, channel: 'sms', provider: 'twilio' });
  await store.closeAbandoned(id, 2, before);
  expect(await jobOf(id)).toMatchObject({ state: 'running' });

  await store.finish(id, 'cancelled', null);
  await pool.query('update attempt set outcome = null, closed_at = null where job_id = $1 and n = 2', [id]);
  clock.aheadMs = 2 * LOCK_MS;
  await store.closeAbandoned(id, 2, now());
  expect(await jobOf(id)).toMatchObject({ state: 'cancelled' });
  const { rows } = await pool.query('select outcome from attempt where job_id = $1', [id]);
  expect(rows).toEqual([{ outcome: 'unknown' }, { outcome: 'unknown' }]);
});

test('a worker that read an earlier attempt closes none that another one has opened since', async () => {
  const { accept, store, pool, now, jobOf, clock } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  await store.open({ jobId: id, n: 1, channel: 'sms', provider: 'twilio' });
  await store.closeAbandoned(id, 1, new Date(now().getTime() + LOCK_MS));
  await store.open({ jobId: id, n: 2, channel: 'sms', provider: 'twilio' });
  // Its clock is ahead of the one that opened the second attempt.
  clock.aheadMs = LOCK_MS;
  await store.closeAbandoned(id, 1, now());
  expect(await jobOf(id)).toMatchObject({ state: 'running' });
  const { rows } = await pool.query('select n, outcome from attempt where job_id = $1 order by n', [id]);
  expect(rows).toEqual([
    { n: 1, outcome: 'unknown' },
    { n: 2, outcome: null },
  ]);
});

test('a pause is not shortened by a worker that read the job before the attempt which set it', async () => {
  const { accept, store, pool, now } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  const runAt = async () =>
    (await pool.query<{ run_at: Date }>('select run_at from job where id = $1', [id])).rows[0]?.run_at;
  const asked = new Date(now().getTime() + 60_000);
  await store.open({ jobId: id, n: 1, channel: 'sms', provider: 'twilio' });
  await store.postpone(id, 1, asked);
  await store.postpone(id, 0, new Date(now().getTime() + 10));
  expect(await runAt()).toEqual(asked);
});
