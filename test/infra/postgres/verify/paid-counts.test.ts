import { expect, test } from 'vitest';
import { openPaidSends, prefixOf } from './open-paid.ts';
import { orderFor, sendCode } from './world.ts';

const { world, caller, freshPhone, openPaid, refuse } = await openPaidSends();

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
