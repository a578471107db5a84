import { describe, expect, test } from 'vitest';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { decideStep } from '../../../../domain/verify/step.ts';
import { rowEncryption } from '../../../../infra/process/crypto.ts';
import { otpJobs } from '../../../../infra/postgres/verify/otp-jobs.ts';
import { openOtpQueue } from '../../../apps/board/verify/open-otp-queue.ts';

const { board, operator, queue, seed, rowOf, issue, work, lastAudit } = await openOtpQueue();
const verificationOf = async (id: JobId) =>
  (await board.pool.query('select * from verification where job_id = $1', [id])).rows[0];

describe('retry', () => {
  test('reopens the row, and its kept queue entry is issued anew', async () => {
    const { id } = await seed({
      state: 'failed',
      reason: 'provider-unavailable',
      attempts: [{ channel: 'sms', provider: 'twilio', outcome: 'failed' }],
    });
    await issue(id);
    await work(id, 'failed', 'provider-unavailable');
    expect(await queue().getJobState(id)).toBe('failed');

    expect((await operator.put(`/api/queues/otp-send/${id}/retry`)).status).toBe(204);
    expect(await queue().getJobState(id)).toBe('waiting');
    expect(await rowOf(id)).toMatchObject({
      state: 'queued',
      reason: null,
      finished_at: null,
      run_at: board.time.now,
      attempts: 1,
    });
    // A crash before the queue entry was out would have left this row unpublished for the reconciler.
    const outbox = await board.pool.query(
      'select job_ids, published_at from outbox order by id desc limit 1',
    );
    expect(outbox.rows).toEqual([{ job_ids: [id], published_at: board.time.now }]);
    expect(await lastAudit()).toMatchObject({
      action: 'job.retry',
      subject: id,
      detail: { outcome: 'done' },
    });
  });

  test('starts the chain afresh: earlier attempts stay, decide nothing, and the next one counts on', async () => {
    const attempts = [
      { channel: 'sms', provider: 'twilio', outcome: 'rejected', reason: 'landline' },
    ] as const;
    const { id } = await seed({ state: 'rejected', reason: 'landline', channels: ['sms'], attempts });
    const jobs = otpJobs(board.pool, rowEncryption({ current: 'none', keys: new Map() }));
    const chain = async () => {
      const job = await jobs.read(id);
      if (!job) throw new Error('no job');
      const rules = {
        smsOrder: ['twilio'] as const,
        unavailable: new Map(),
        pushUnconfirmedBuysSms: false,
        jitter: 0,
        isDue: false,
      };
      return { n: job.attemptsMade, step: decideStep(job.verification, job.past, rules, board.time.now) };
    };
    expect(await chain()).toEqual({ n: 1, step: { kind: 'finish', state: 'rejected', reason: 'landline' } });
    await operator.put(`/api/queues/otp-send/${id}/retry`);
    expect(await chain()).toEqual({ n: 1, step: { kind: 'send', send: { leg: 'twilio', after: null } } });
    expect((await board.pool.query('select n, outcome from attempt where job_id = $1', [id])).rows).toEqual([
      { n: 1, outcome: 'rejected' },
    ]);
  });

  test('never outlives the code that it would send', async () => {
    const { id } = await seed({ state: 'rejected' });
    await operator.put(`/api/queues/otp-send/${id}/retry`);
    expect((await rowOf(id)).deadline_at).toEqual((await verificationOf(id)).expires_at);
  });

  test.each([
    ['a job that completed', { state: 'completed', verification: 'approved' }, 'not-retriable'],
    ['a job that is under way', { state: 'running' }, 'not-retriable'],
    ['a job that somebody cancelled', { state: 'cancelled' }, 'not-retriable'],
    ['a job whose code was used', { state: 'rejected', verification: 'approved' }, 'subject-closed'],
    ['a job whose code has died', { state: 'expired', verification: 'expired' }, 'subject-closed'],
    [
      'a job whose code died unnoticed',
      { state: 'failed', at: new Date(Date.now() - 600_000) },
      'subject-closed',
    ],
  ] as const)('of %s is refused', async (_what, job, reason) => {
    const { id } = await seed(job);
    const before = await rowOf(id);
    expect((await operator.put(`/api/queues/otp-send/${id}/retry`)).status).toBe(409);
    expect(await rowOf(id)).toEqual(before);
    expect(await lastAudit()).toMatchObject({ action: 'job.retry', detail: { outcome: 'refused', reason } });
  });

  test('of a job that a newer send replaced is refused', async () => {
    const { id } = await seed({ state: 'failed' });
    const { id: newer } = await seed();
    await board.pool.query('update verification set job_id = $2 where job_id = $1', [id, newer]);
    expect((await operator.put(`/api/queues/otp-send/${id}/retry`)).status).toBe(409);
  });

  test('of an unknown job is told as such', async () => {
    expect(
      (await operator.put('/api/queues/otp-send/01900000-0000-7000-8000-000000000000/retry')).status,
    ).toBe(404);
  });
});

describe('promote and cancel', () => {
  test('promote makes a sleeping job due, in the row and in the queue', async () => {
    const runAt = new Date(Date.now() + 60_000);
    const { id } = await seed({ runAt });
    await issue(id, runAt);
    expect((await operator.put(`/api/queues/otp-send/${id}/promote`)).status).toBe(204);
    expect((await rowOf(id)).run_at).toEqual(board.time.now);
    expect(await queue().getJobState(id)).toBe('waiting');
  });

  test('cancel ends the job and its code, and takes the queue entry away', async () => {
    const { id } = await seed();
    await issue(id);
    expect((await operator.put(`/api/queues/otp-send/${id}/clean`)).status).toBe(204);
    expect(await rowOf(id)).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled-by-staff',
      finished_at: board.time.now,
    });
    expect(await verificationOf(id)).toMatchObject({ state: 'cancelled', closed_at: board.time.now });
    expect(await queue().getJob(id)).toBeUndefined();
  });

  test('cancel leaves a code alive that a newer send serves', async () => {
    const { id, verificationId } = await seed();
    const { id: newer } = await seed();
    await board.pool.query('update verification set job_id = $2 where id = $1', [verificationId, newer]);
    await operator.put(`/api/queues/otp-send/${id}/clean`);
    const { rows } = await board.pool.query('select state from verification where id = $1', [verificationId]);
    expect(rows).toEqual([{ state: 'live' }]);
  });

  test('what is finished is neither promoted nor cancelled', async () => {
    const { id } = await seed({ state: 'completed', verification: 'approved' });
    expect((await operator.put(`/api/queues/otp-send/${id}/promote`)).status).toBe(409);
    expect((await operator.put(`/api/queues/otp-send/${id}/clean`)).status).toBe(409);
    expect((await rowOf(id)).state).toBe('completed');
  });
});
