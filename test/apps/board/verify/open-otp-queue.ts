import { afterAll, beforeEach, expect } from 'vitest';
import type { JobReason } from '../../../../domain/reasons.ts';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { addEntries } from '../../../../infra/queue/entries.ts';
import { startQueueWorker } from '../../../../infra/queue/queue-worker.ts';
import { workerRedis } from '../../../../infra/queue/queues.ts';
import { freshRedis } from '../../../support/servers.ts';
import { openBoard } from '../open-board.ts';
import { seedJob, type SeedJob, seedProject } from '../seed.ts';

export const PHONE = '+998901234567';
export const labels = { project: 'shop', channels: 'push,sms', to: '+998•••••••67' };

/** A board of this file's own over the queue of codes; every test of the file begins with nothing queued or paused. */
export async function openOtpQueue() {
  const redisUrl = await freshRedis();
  const board = await openBoard({ redisUrl });
  const operator = await board.session('operator');
  const project = await seedProject(board.pool, 'shop');
  afterAll(() => board.close());
  beforeEach(async () => {
    await board.queues.redis.flushdb();
    await board.owner.query('truncate queue');
  });
  const queue = () => board.queues.of['otp-send'];
  const seed = (job: Partial<SeedJob> = {}) =>
    seedJob(board.pool, project, board.addressHash(PHONE), { project: 'shop', phone: PHONE, ...job });
  const rowOf = async (id: JobId) =>
    (await board.pool.query('select * from job where id = $1', [id])).rows[0];
  const issue = (id: JobId, runAt = new Date()) =>
    addEntries(board.queues, [{ jobId: id, kind: 'otp-send', labels, runAt }], new Date());
  /** Lets a real worker end these queue entries as the queue does. */
  const work = async (id: JobId, state: Final, reason: JobReason): Promise<void> => {
    const stop = startWorker(redisUrl, state, reason);
    await expect.poll(() => queue().getJobState(id)).toMatch(/failed|completed/);
    await stop();
  };
  const lastAudit = async () => (await board.audit()).at(-1);
  return { board, operator, queue, seed, rowOf, issue, work, lastAudit };
}

type Final = 'rejected' | 'failed' | 'expired' | 'completed';

/** @returns what stops it. */
function startWorker(redisUrl: string, state: Final, reason: JobReason): () => Promise<void> {
  const connection = workerRedis(redisUrl, () => undefined);
  const worker = startQueueWorker({
    kind: 'otp-send',
    concurrency: 1,
    connection,
    wake: async () => ({ kind: 'finished', state, reason }),
    onSurprise: () => undefined,
    onError: () => undefined,
  });
  return async () => {
    await worker.drain(1_000);
    connection.disconnect();
  };
}
