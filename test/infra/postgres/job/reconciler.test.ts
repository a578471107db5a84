import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { otpSend } from '../../../../domain/verify/job.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { settles } from '../../../../infra/postgres/settles.ts';
import { opsCommands } from '../../../../infra/postgres/staff/ops-commands.ts';
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

const nothing = () => Promise.resolve();
const desk = { reissue: nothing, promote: nothing, remove: nothing, pause: nothing, resume: nothing };

test('an attempt of a job that was ended meanwhile is its worker’s to close, and no dead one’s stays open for ever', async () => {
  const by = { id: randomUUID(), email: 'ops@navbat.example', role: 'operator' } as const;
  await world.pool.query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, $2, $3, 'none', now())`,
    [by.id, by.email, by.role],
  );
  const staff = opsCommands(world.pool, { jobs, settles }, desk, () => undefined);
  const sent = async (phone: string) => {
    const { jobId, code } = await sendCode(world, orderFor(caller, phone, { checkByTo: true }));
    await world.store.open({ jobId, n: 1, channel: 'sms', provider: 'twilio' });
    return { jobId: jobId as JobId, code };
  };
  const [cancelled, approved, answered] = [
    await sent('+998952000000'),
    await sent('+998952010000'),
    await sent('+998952020000'),
  ];
  for (const { jobId } of [cancelled, answered])
    expect(await staff.job('cancel', jobId, by, new Date())).toMatchObject({ done: true });
  await world.checks.check({
    projectId: caller.projectId,
    mode: 'live',
    of: { destination: { phone: '+998952010000' }, purpose: 'verify' },
    code: approved.code,
  });
  const outcomes = async () =>
    Promise.all(
      [cancelled, approved, answered].map(async ({ jobId }) => {
        const { rows } = await world.pool.query(
          `select j.state, a.outcome from job j join attempt a on a.job_id = j.id where j.id = $1`,
          [jobId],
        );
        return rows[0];
      }),
    );
  await world.reconciler.expire(new Date());
  expect(await outcomes()).toEqual([
    { state: 'cancelled', outcome: null },
    { state: 'completed', outcome: null },
    { state: 'cancelled', outcome: null },
  ]);

  await world.store.close({
    jobId: answered.jobId,
    n: 1,
    outcome: 'completed',
    reason: null,
    providerReference: 'SM1',
    costMicros: null,
    costCurrency: null,
    latencyMs: 5,
    next: { runAt: new Date() },
  });
  // A living worker may hold it for its time-out and while it tries to record the end.
  await world.reconciler.expire(new Date(Date.now() + 100_000));
  expect(await outcomes()).toMatchObject([{ outcome: null }, { outcome: null }, { outcome: 'completed' }]);
  const running = await sent('+998952030000');
  await world.reconciler.expire(new Date(Date.now() + 121_000));
  expect((await world.jobs.read(running.jobId))?.openSince).not.toBeNull();
  expect(await outcomes()).toEqual([
    { state: 'cancelled', outcome: 'unknown' },
    { state: 'completed', outcome: 'unknown' },
    { state: 'cancelled', outcome: 'completed' },
  ]);
});
