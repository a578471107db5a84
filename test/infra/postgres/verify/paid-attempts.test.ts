import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { readPaidCounts } from '../../../../infra/postgres/verify/paid-counts.ts';
import { PAID_PER_HOUR_MAX } from '../../../../domain/verify/paid-limits.ts';
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

test('of two messages to one number that were booked at one moment, the refused one alone stops counting', async () => {
  const phone = freshPhone();
  const sends = await Promise.all(
    ['a', 'b', 'c'].map((purpose) => sendCode(world, orderFor(caller, phone, { purpose }))),
  );
  await Promise.all(sends.map(({ jobId }) => openPaid(jobId, phone, 'sms')));
  await Promise.all(sends.slice(0, 2).map(({ jobId }) => refuse(jobId)));
  const { rows } = await world.pool.query(readPaidCounts, [
    [world.hash('address', phone)],
    new Date(Date.now() - 3_600_000),
    false,
  ]);
  expect(rows).toMatchObject([{ project_id: caller.projectId, asked_by: 'service', messages: 1 }]);
  expect(PAID_PER_HOUR_MAX).toBe(15);
});

test('a refused message gives back what was reserved of the budget', async () => {
  const spent = async () =>
    Number(
      (
        await world.pool.query('select spent_micros from paid_spend where project_id = $1', [
          caller.projectId,
        ])
      ).rows[0]?.spent_micros,
    );
  const phone = freshPhone();
  const { jobId } = await sendCode(world, orderFor(caller, phone));
  const before = await spent();
  await openPaid(jobId, phone, 'sms');
  expect(await spent()).toBe(before + 10_000);
  await refuse(jobId);
  expect(await spent()).toBe(before);
});
