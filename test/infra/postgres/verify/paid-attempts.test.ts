import { expect, test } from 'vitest';
import { readPaidCounts } from '../../../../infra/postgres/verify/paid-counts.ts';
import { PAID_PER_HOUR_MAX } from '../../../../domain/verify/paid-limits.ts';
import { openPaidSends } from './open-paid.ts';
import { orderFor, sendCode } from './world.ts';

const { world, caller, freshPhone, openPaid, refuse } = await openPaidSends();

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
