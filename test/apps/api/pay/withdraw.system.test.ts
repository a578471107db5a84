import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEarners, typeOf } from './earner.ts';

let world: Awaited<ReturnType<typeof openEarners>>;
beforeAll(async () => {
  world = await openEarners(['api', 'worker']);
});
afterAll(() => world.navbat.stop());

type Earner = Awaited<ReturnType<typeof world.earner>>;
const states = async (who: Earner) =>
  (await who.call('GET', '/api/withdraw')).body.data.map(({ state }: { state: string }) => state);

describe('a withdrawal', () => {
  test('sets the money aside in the commit of its 202, and stands in the list', async () => {
    const who = await world.earner();
    const asked = await who.withdraw('2500000');
    expect(asked).toMatchObject({
      status: 202,
      replayed: null,
      body: { state: 'pending', gross: '2500000', fee: '0', net: '2500000' },
    });
    expect(await who.balance()).toMatchObject({ available: '7500000', held: '2500000', receivable: '0' });
    const { data, next_cursor } = (await who.call('GET', '/api/withdraw')).body;
    expect(data).toEqual([
      expect.objectContaining({
        id: asked.body.id,
        state: 'pending',
        destination: { id: who.card, rail: 'multicard', last4: '4321' },
      }),
    ]);
    expect(next_cursor).toBeNull();
  });

  test('without an Idempotency-Key is 400, and moves nothing', async () => {
    const who = await world.earner();
    const body = { amount: '2500000', destination_id: who.card };
    expect(typeOf(await who.call('POST', '/api/withdraw', { body }))).toBe('idempotency-key-missing');
    expect((await who.balance()).held).toBe('0');
  });

  test('twenty times at once under one key is one, and each is told the same', async () => {
    const who = await world.earner();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => who.withdraw('2500000', key)));
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === 'true')).toHaveLength(19);
    expect(await who.balance()).toMatchObject({ available: '7500000', held: '2500000' });
  });

  test('of the whole balance, twenty at once under different keys: one 202', async () => {
    const who = await world.earner(10_000_000n);
    const answers = await Promise.all(Array.from({ length: 20 }, () => who.withdraw('10000000')));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status !== 202);
    expect(new Set(refused.map((answer) => `${answer.status} ${typeOf(answer)}`))).toEqual(
      new Set(['422 insufficient']),
    );
  });

  test('that was refused stays refused under its key, when the money is there too', async () => {
    const who = await world.earner(1_000_000n);
    const key = randomUUID();
    expect(typeOf(await who.withdraw('2000000', key))).toBe('insufficient');
    const [available, earnings] = [
      await world.book.open('available', who.personId),
      await world.book.open('earnings'),
    ];
    await world.book.post([
      {
        key: `more:${who.personId}`,
        kind: 'earn',
        debit: earnings,
        credit: available,
        amount: 50_000_000_000n,
      },
    ]);
    const again = await who.withdraw('2000000', key);
    expect([again.status, typeOf(again), again.replayed]).toEqual([422, 'insufficient', 'true']);
    expect((await who.withdraw('2000000')).status).toBe(202);
  });

  test('under a key of another request is 422; under another person’s equal key it is their own', async () => {
    const [who, other] = [await world.earner(), await world.earner()];
    const key = randomUUID();
    await who.withdraw('2000000', key);
    expect(typeOf(await who.withdraw('2000001', key))).toBe('idempotency-key-reused');
    expect(await other.withdraw('2000000', key)).toMatchObject({ status: 202, replayed: null });
    const isCard = await who.withdraw('2000000', '8600123456789012');
    expect([isCard.status, typeOf(isCard)]).toEqual([400, 'idempotency-key-is-card']);
  });

  test.each([
    ['999999', 'below-minimum'],
    ['500000001', 'above-limit'],
  ])('of %s tiyin is 422 %s', async (amount, type) => {
    const who = await world.earner(600_000_000n);
    const refused = await who.withdraw(amount);
    expect([refused.status, typeOf(refused)]).toEqual([422, type]);
    expect(refused.body.next_step).not.toBe('');
  });

  test.each(['0', '-1', '1.5', '01', '', 'abc', '1e9', '1000000000000000'])(
    'of %j is no amount: 400 names the field',
    async (amount) => {
      const who = await world.earner();
      const refused = await who.withdraw(amount);
      expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, '/amount']);
    },
  );

  test('to another’s card, and to none, is refused alike', async () => {
    const [who, other] = [await world.earner(), await world.earner()];
    const answers = [
      await who.withdraw('2000000', randomUUID(), other.card),
      await who.withdraw('2000000', randomUUID(), randomUUID()),
    ];
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [422, answers[0]?.body],
      [422, answers[0]?.body],
    ]);
    expect(answers.map(typeOf)).toEqual(['destination-gone', 'destination-gone']);
  });

  test('is cancelled once, and the money is back; another’s is 404', async () => {
    const [who, other] = [await world.earner(), await world.earner()];
    const { id } = (await who.withdraw('2500000')).body;
    const cancel = (by: Earner, key: string) => by.call('POST', `/api/withdraw/${id}/cancel`, { key });
    expect((await cancel(other, 'k')).status).toBe(404);
    expect(typeOf(await who.call('POST', `/api/withdraw/${id}/cancel`))).toBe('idempotency-key-missing');
    expect(await cancel(who, 'k')).toMatchObject({ status: 200, body: { id, state: 'cancelled' } });
    expect((await cancel(who, 'k')).replayed).toBe('true');
    const twice = await cancel(who, 'k2');
    expect([twice.status, typeOf(twice), twice.body.state]).toEqual([409, 'payout-not-open', 'cancelled']);
    expect(await who.balance()).toMatchObject({ available: '10000000', held: '0' });
  });

  test('waits as review while its person is blocked', async () => {
    const who = await world.earner();
    await who.withdraw('2500000');
    await world.navbat.db.query(
      `insert into payout_block (person_id, reason, made_at) values ($1, 'phone-lost', now())`,
      [who.personId],
    );
    expect(await states(who)).toEqual(['review']);
    expect(typeOf(await who.withdraw('2500000'))).toBe('blocked');
  });
});

describe('where a device is bound', () => {
  test('it is asked with amount and card, a repeat is told the same number, and a yes makes it payable', async () => {
    const who = await world.earner();
    const device = await who.bindDevice();
    const key = randomUUID();
    const asked = await who.withdraw('2500000', key);
    expect(asked.body).toMatchObject({ state: 'confirming', number: expect.stringMatching(/^\d\d$/) });
    expect((await who.withdraw('2500000', key)).body).toEqual(asked.body);
    await expect.poll(device.challenge, { timeout: 10_000 }).not.toBeNull();
    const challenge = await device.challenge();
    expect(challenge).toMatchObject({
      purpose: 'navbat.withdraw',
      context: { payment: { amount: '2500000', currency: 'UZS', payee: 'Card •••• 4321' } },
    });
    if (!challenge) throw new Error('nothing is asked');
    expect((await device.answer(challenge, 'approve', asked.body.number)).status).toBe(200);
    await expect.poll(() => states(who)).toEqual(['pending']);
    // Nobody is asked any more: no number, and no other challenge.
    expect((await who.withdraw('2500000', key)).body).toEqual({
      id: asked.body.id,
      state: 'confirming',
      gross: '2500000',
      fee: '0',
      net: '2500000',
    });
  });

  test('one that is cancelled while the device is asked is 409 with its state, and the money is back', async () => {
    const who = await world.earner();
    await who.bindDevice();
    const { db } = world.navbat;
    await db.query(`create function cancelled_meanwhile() returns trigger language plpgsql as $$ begin
        perform payout_cancel((new.metadata ->> 'withdrawal')::uuid, (select x.person_id from payout x where x.id = (new.metadata ->> 'withdrawal')::uuid), 'asked', 'staff:01990000-0000-7000-8000-000000000002'); return null; end $$;
      create trigger cancelled_meanwhile after insert on verification for each row
        when (new.metadata ? 'withdrawal') execute function cancelled_meanwhile()`);
    try {
      const asked = await who.withdraw('2500000');
      expect([asked.status, typeOf(asked), asked.body.state]).toEqual([409, 'payout-not-open', 'cancelled']);
    } finally {
      await db.query('drop function cancelled_meanwhile() cascade');
    }
    expect(await states(who)).toEqual(['cancelled']);
    expect(await who.balance()).toMatchObject({ available: '10000000', held: '0' });
  });

  test('a no gives the money back within two seconds', async () => {
    const who = await world.earner();
    const device = await who.bindDevice();
    await who.withdraw('2500000');
    await expect.poll(device.challenge, { timeout: 10_000 }).not.toBeNull();
    const challenge = await device.challenge();
    if (!challenge) throw new Error('nothing is asked');
    await device.answer(challenge, 'deny');
    await expect
      .poll(() => who.balance(), { timeout: 2_000 })
      .toMatchObject({ available: '10000000', held: '0' });
    expect(await states(who)).toEqual(['cancelled']);
  });
});

describe('a balance', () => {
  test('is told to its person by me and by their own Telegram id; of all others 403 alike', async () => {
    const [who, other] = [await world.earner(), await world.earner()];
    const chats = { [who.personId]: 700_100_200, [other.personId]: 700_100_201 };
    for (const [person, id] of Object.entries(chats))
      await world.navbat.db.query(
        `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', $1, $2, now())`,
        [id, person],
      );
    const own = await who.call('GET', `/api/user/balance/${chats[who.personId]}`);
    expect(own.body).toMatchObject({ available: '10000000', currency: 'UZS', pending: '0', review: '0' });
    const [theirs, nobodys] = [
      await who.call('GET', `/api/user/balance/${chats[other.personId]}`),
      await who.call('GET', '/api/user/balance/700100202'),
    ];
    expect([theirs.status, theirs.body]).toEqual([403, nobodys.body]);
    expect(nobodys.status).toBe(403);
  });
});

describe('cards', () => {
  test('are listed, and removed by their person alone', async () => {
    const [who, other] = [await world.earner(), await world.earner()];
    const { data } = (await who.call('GET', '/api/profile/destinations')).body;
    expect(data).toEqual([
      expect.objectContaining({ id: who.card, last4: '4321', rail: 'multicard', distrusted: false }),
    ]);
    expect(JSON.stringify(data)).not.toMatch(/token|holder/);
    expect((await other.call('DELETE', `/api/profile/destinations/${who.card}`)).status).toBe(404);
    expect((await who.call('DELETE', `/api/profile/destinations/${who.card}`)).status).toBe(204);
    expect((await who.call('GET', '/api/profile/destinations')).body.data).toEqual([]);
    expect(typeOf(await who.withdraw('2000000'))).toBe('destination-gone');
  });
});
