import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { batchesDue } from '../../../infra/postgres/pay/batch/store.ts';
import { rails } from '../../../infra/postgres/pay/finance/rails.ts';
import { railSaid } from '../../../infra/postgres/pay/dispatch/ticks.ts';
import { askingRails } from '../../../workers/pay/ask-rails.ts';
import { freshMulticard, railAt } from '../../apps/sandbox/pay/multicard-world.ts';
import { HOUR_MS, openPaying } from '../../infra/postgres/pay/payout/paying.ts';

let pay: Awaited<ReturnType<typeof openPaying>>;
beforeAll(async () => {
  pay = await openPaying();
});
afterEach(() => pay.moveClock(0));
afterAll(() => pay.close());

const start = async () =>
  (await pay.pool.query<{ n: number }>(`select dispatch_start('multicard', 10) n`)).rows[0]?.n;
async function approved() {
  const checker = await pay.staff('finance');
  const { batch } = await pay.submitted();
  return { checker, batch: await pay.batches.approve(batch, checker, await pay.proof(checker, batch)) };
}

test('while the rail wants a one-time password for each payment no batch runs, and nothing new begins; then all goes on', async () => {
  const box = await freshMulticard();
  const faults: unknown[] = [];
  const ask = askingRails({
    rail: railAt(box.url),
    said: railSaid(pay.pool),
    onFault: (error) => faults.push(error),
  });
  const wants = (otp_required: boolean) =>
    fetch(`${box.url}/control/settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ otp_required }),
    });
  const railNow = async () => (await rails(pay.pool).rails()).find(({ id }) => id === 'multicard');

  const [running, one, planned] = [await approved(), await approved(), await approved()];
  await pay.batches.run(running.batch, running.checker);
  await pay.batches.run(planned.batch, planned.checker, new Date(Date.now() + HOUR_MS));
  expect(await railNow()).toMatchObject({ saidAt: null, otpSince: null });
  await wants(true);
  expect(await ask()).toBe(30_000);
  expect(await railNow()).toMatchObject({ saidAt: expect.any(Date), otpSince: expect.any(Date) });
  await expect(pay.batches.run(one.batch, one.checker)).rejects.toMatchObject({
    code: 'NB031',
    detail: 'otp',
  });
  await pay.moveClock(2 * HOUR_MS);
  expect(await batchesDue(pay.pool).run(10)).toEqual([]);
  expect(await start()).toBe(0);

  await wants(false);
  await ask();
  expect(await railNow()).toMatchObject({ otpSince: null });
  expect(await start()).toBe(2);
  expect(await batchesDue(pay.pool).run(10)).toEqual([planned.batch.id]);
  await pay.batches.run(one.batch, one.checker);
  expect(faults).toEqual([]);
});

test('a rail that does not answer changes nothing of what it said', async () => {
  const box = await freshMulticard();
  await pay.owner.query(`select rail_said('multicard', true)`);
  await box.close();
  const faults: unknown[] = [];
  const ask = askingRails({
    rail: railAt(box.url),
    said: railSaid(pay.pool),
    onFault: (error) => faults.push(error),
  });
  await ask();
  expect(faults).toHaveLength(1);
  const { rows } = await pay.pool.query(
    `select otp_since is not null as wants from rail where id = 'multicard'`,
  );
  expect(rows).toEqual([{ wants: true }]);
  await pay.owner.query(`select rail_said('multicard', false)`);
});
