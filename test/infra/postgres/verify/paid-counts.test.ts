import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { openWorld, orderFor, sendCode, type World } from './world.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
const freshPhone = () => `+99893${100 + next++}0000`;
const prefixOf = (phone: string) => phone.slice(0, -4);

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject({ sends_per_hour: 100 });
});
afterAll(() => world.close());

async function openPaid(jobId: JobId, phone: string, channel: 'sms' | 'telegram-gateway', n = 1) {
  return world.paid.open({
    jobId,
    n,
    channel,
    provider: channel,
    projectId: caller.projectId,
    addressHash: world.hash('address', phone),
    prefix: prefixOf(phone),
    askedBy: 'service',
    budget: { budgetMicros: 20_000_000, strangerBudgetMicros: 10_000_000 },
    reservedMicros: 10_000,
  });
}
const refuse = (jobId: JobId, n = 1) =>
  world.store.close({
    jobId,
    n,
    outcome: 'rejected',
    reason: 'not-on-telegram',
    providerReference: null,
    costMicros: null,
    costCurrency: null,
    latencyMs: 5,
    next: { runAt: new Date() },
  });
const scoreOf = async (phone: string) =>
  (await world.pool.query('select sent, verified from prefix_score where prefix = $1', [prefixOf(phone)]))
    .rows[0];

test('a refusal by the Gateway takes nothing off the SMS that a prefix was sent', async () => {
  const phone = freshPhone();
  const { jobId } = await sendCode(world, orderFor(caller, phone, { channels: ['sms', 'telegram-gateway'] }));
  await openPaid(jobId, phone, 'sms');
  await world.store.close({
    jobId,
    n: 1,
    outcome: 'completed',
    reason: null,
    providerReference: 'SM1',
    costMicros: 10_000n,
    costCurrency: 'USD',
    latencyMs: 5,
    next: { runAt: new Date() },
  });
  await openPaid(jobId, phone, 'telegram-gateway', 2);
  await refuse(jobId, 2);
  expect((await scoreOf(phone)).sent).toBeCloseTo(1, 3);
});

test('a right code is approved however long ago its prefix was last sent an SMS', async () => {
  const phone = freshPhone();
  const { id, jobId, code } = await sendCode(world, orderFor(caller, phone));
  await openPaid(jobId, phone, 'sms');
  await world.pool.query(`update prefix_score set at = now() - interval '400 days' where prefix = $1`, [
    prefixOf(phone),
  ]);
  expect(
    await world.checks.check({
      projectId: caller.projectId,
      mode: 'live',
      of: { id, purpose: null, by: 'service' },
      code,
    }),
  ).toMatchObject({
    kind: 'approved',
  });
});
