import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEarners } from './earner.ts';

/** What each door writes is in one of them. Reads go on. */
const TABLES = 'payout, payout_destination, ledger_book';

let world: Awaited<ReturnType<typeof openEarners>>;
beforeAll(async () => {
  world = await openEarners();
});
afterAll(() => world.navbat.stop());

test('each door of people and customers says to come again where somebody else holds what it needs, and its key is not used up', async () => {
  const who = await world.earner();
  const { body: open } = await who.withdraw('1000000');
  const shop = await world.navbat.createProject({ scopes: ['payouts'] });
  const [bank, funded] = [await world.book.open('bank'), await world.book.open('funded', shop.id)];
  await world.book.post([
    { key: `top-up:${shop.id}`, kind: 'top-up', debit: bank, credit: funded, amount: 10n ** 12n },
  ]);
  const order = { phone: '+998901230001', name: 'Aziza Karimova', amount: '2000000', purpose: 'Delivery' };
  const ofShop = async (path: string, body?: object, key: string = randomUUID()) => {
    const answer = await fetch(world.navbat.apiUrl + path, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${shop.key}`,
        'Idempotency-Key': key,
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const { id, type } = (await answer.json()) as { id?: string; type?: string };
    return { status: answer.status, id, type, retryAfter: answer.headers.get('retry-after') };
  };
  const { id: asked } = await ofShop('/payouts', { ...order, reference: 'one' });

  const [mine, cancelMine] = [randomUUID(), randomUUID()];
  const person = async (method: string, path: string, key?: string, body?: object) => {
    const { status, body: said, retryAfter } = await who.call(method, path, { key, body });
    return { status, type: said.type, retryAfter };
  };
  const doors = [
    () => person('POST', '/api/withdraw', mine, { amount: '2000000', destination_id: who.card }),
    () => person('POST', `/api/withdraw/${open.id}/cancel`, cancelMine),
    () => ofShop('/payouts', { ...order, reference: 'two' }, mine),
    () => ofShop('/payouts/batches', { payouts: [{ ...order, reference: 'three' }] }, cancelMine),
    () => ofShop(`/payouts/${asked}/cancel`, undefined, `${mine}-3`),
    () => person('DELETE', `/api/profile/destinations/${who.card}`),
  ];
  const holder = await world.navbat.db.connect();
  await holder.query('begin');
  await holder.query(`lock table ${TABLES} in exclusive mode`);
  const answers = await Promise.all(doors.map((door) => door()));
  await holder.query('rollback');
  holder.release();
  for (const answer of answers)
    expect(answer).toMatchObject({
      status: 503,
      type: 'urn:navbat:problem:in-progress',
      retryAfter: '1',
    });
  const then: number[] = [];
  for (const door of doors) then.push((await door()).status);
  expect(then).toEqual([202, 200, 202, 202, 200, 204]);
});
