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
