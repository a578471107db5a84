import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { otpSend } from '../../../../domain/verify/job.ts';
import { openWorld, orderFor, sendCode, type World } from '../verify/world.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject();
});
afterAll(() => world.close());

test('a job past its deadline is left to its worker until its attempt must be over', async () => {
  const { jobId } = await sendCode(world, orderFor(caller, '+998951000000'));
  await world.store.open({ jobId, n: 1, channel: 'sms', provider: 'twilio' });
  const stateAfter = async (ms: number) => {
    await world.pool.query('update job set deadline_at = $2 where id = $1', [
      jobId,
      new Date(Date.now() - ms),
    ]);
    await world.reconciler.expire(new Date());
    return (await world.pool.query<{ state: string }>('select state from job where id = $1', [jobId])).rows[0]
      ?.state;
  };
  expect(await stateAfter(otpSend.attemptTimeoutMs + 1_000)).toBe('running');
  expect(await stateAfter(60_000)).toBe('expired');
  expect((await world.jobs.read(jobId as JobId))?.past).toMatchObject([
    { outcome: 'unknown', reason: 'worker-lost' },
  ]);
});
