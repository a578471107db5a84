import { afterAll, beforeAll, expect, test } from 'vitest';
import { payoutsDue } from '../../../infra/postgres/pay/payout/store.ts';
import { endPayouts } from '../../../workers/pay/end-payouts.ts';
import { GROSS, openListing } from '../../infra/postgres/pay/list/listing.ts';

const DAY_MS = 86_400_000;

let pay: Awaited<ReturnType<typeof openListing>>;
beforeAll(async () => {
  pay = await openListing();
});
afterAll(() => pay.close());

test('a payout whose payee binds no card within 14 days is ended, and its money is back', async () => {
  const by = await pay.funder(3n * GROSS);
  const done = await pay.lists.import(pay.order(by.id, pay.lines(3)));
  const round = endPayouts(payoutsDue(pay.pool));
  await pay.moveClock(14 * DAY_MS - 60_000);
  expect(await round()).toBe(5_000);
  expect([await by.held(), await by.funded()]).toEqual([3n * GROSS, 0n]);
  await pay.moveClock(14 * DAY_MS + 60_000);
  await round();
  expect([await by.held(), await by.funded()]).toEqual([0n, 3n * GROSS]);
  const { rows } = await pay.lists.payouts(done.ok ? done.id : '', 0, 10);
  expect(rows.map(({ state, reason }) => [state, reason])).toEqual(
    Array.from({ length: 3 }, () => ['cancelled', 'expired']),
  );
});
