import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEarners } from './earner.ts';

let world: Awaited<ReturnType<typeof openEarners>>;
beforeAll(async () => {
  world = await openEarners(['api', 'worker'], { WITHDRAWAL_FEE: '100000+1.5%' });
});
afterAll(() => world.navbat.stop());

test('the fee of a withdrawal is shown and taken of its gross, which alone leaves the balance', async () => {
  const who = await world.earner(10_000_000n);
  const asked = await who.withdraw('2500001');
  const amounts = { gross: '2500001', fee: '137500', net: '2362501' };
  expect(asked).toMatchObject({ status: 202, body: amounts });
  expect(await who.balance()).toMatchObject({ available: '7499999', held: '2500001' });
  expect((await who.call('GET', '/api/withdraw')).body.data).toMatchObject([amounts]);
});
