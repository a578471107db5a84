import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PROMO_ALONE_TIYIN_MAX, type PromoId } from '../../../../domain/earn/promo/promo.ts';
import { staffPromos } from '../../../../infra/postgres/earn/promo/promos.ts';
import { personPromos } from '../../../../infra/postgres/earn/promo/redemptions.ts';
import { DAY_MS, openEarnWorld } from './earn-world.ts';

const MICROS_OF_TIYIN = 10_000n;

/** Codes and people over a real Postgres. */
async function openPromoWorld() {
  const world = await openEarnWorld();
  const { pool, projectId, finance, now } = world;
  const [staff, people] = [staffPromos(pool, projectId), personPromos(pool, projectId)];
  const orderOf = (text: string, amount: bigint, usesMax: number, fromMs = -1_000, toMs = DAY_MS) => ({
    text,
    amount,
    usesMax,
    validFrom: new Date(now().getTime() + fromMs),
    validTo: new Date(now().getTime() + toMs),
  });
  return {
    ...world,
    staff,
    people,
    orderOf,
    make: async (...order: Parameters<typeof orderOf>): Promise<PromoId> => {
      const made = await staff.make(orderOf(...order), finance);
      if (!made.ok) throw new Error(made.reason);
      return made.promo.id;
    },
    balance: async (of: 'available' | 'receivable', personId: string) =>
      (await world.ledger.balance(await world.ledger.open(of, personId))) / MICROS_OF_TIYIN,
  };
}

describe('a promo code', () => {
  test('is redeemed once by a person, into what they may withdraw, however it is written', async () => {
    const { make, people, balance, transfers } = await openPromoWorld();
    await make('WELCOME26', 500n, 10);
    const person = randomUUID();
    const first = await people.redeem(person, 'welcome26');
    expect(first).toMatchObject({ ok: true, repeated: false, redeemed: { amount: 500n, owed: 0n } });
    expect(await people.redeem(person, 'Welcome26')).toEqual({ ...first, repeated: true });
    expect(await balance('available', person)).toBe(500n);
    expect(await transfers()).toEqual([`promo:WELCOME26:${person} promo available 5000000`]);
    expect((await people.list(person, { limit: 10, after: null })).rows).toMatchObject([
      { text: 'WELCOME26', amount: 500n },
    ]);
  });

  test('of 10 uses is redeemed by 10 of 50 people at once', async () => {
    const { make, people, staff, transfers } = await openPromoWorld();
    await make('TENONLY', 500n, 10);
    const done = await Promise.all(Array.from({ length: 50 }, () => people.redeem(randomUUID(), 'TENONLY')));
    expect(done.filter(({ ok }) => ok)).toHaveLength(10);
    expect(done.filter((one) => !one.ok && one.reason === 'promo-used-up')).toHaveLength(40);
    expect(await transfers()).toHaveLength(10);
    expect((await staff.list(null, { limit: 10, after: null })).rows).toMatchObject([
      { uses: 10, usesMax: 10 },
    ]);
  });

  test('is redeemed once by a person who sends it 20 times at once', async () => {
    const { make, people, pool, transfers } = await openPromoWorld();
    await make('ONCEONLY', 500n, 10);
    const person = randomUUID();
    const done = await Promise.all(Array.from({ length: 20 }, () => people.redeem(person, 'ONCEONLY')));
    expect(done.filter((one) => one.ok && !one.repeated)).toHaveLength(1);
    expect(done.filter((one) => one.ok && one.repeated)).toHaveLength(19);
    expect(await transfers()).toHaveLength(1);
    expect((await pool.query('select uses from promo_code')).rows).toEqual([{ uses: 1 }]);
  });

  test('is held to once a person by the table too, which nobody changes, its owner neither', async () => {
    const { make, people, owner } = await openPromoWorld();
    await make('WELCOME26', 500n, 10);
    const person = randomUUID();
    await people.redeem(person, 'WELCOME26');
    const again = `insert into promo_redemption (code_id, person_id, amount, owed, at) select code_id, person_id, amount, owed, at from promo_redemption`;
    await expect(owner.query(again)).rejects.toMatchObject({ code: '23505' });
    for (const change of [
      'delete from promo_redemption',
      'update promo_code set amount = 1',
      'delete from promo_code',
    ])
      await expect(owner.query(change)).rejects.toMatchObject({ code: 'NB009' });
  });

  test('pays what a person owes first', async () => {
    const { make, people, balance, transfers, ledger } = await openPromoWorld();
    await make('WELCOME26', 500n, 10);
    const person = randomUUID();
    const [receivable, earnings] = [await ledger.open('receivable', person), await ledger.open('earnings')];
    await ledger.post([
      { key: 'debt', kind: 'take-back', debit: receivable, credit: earnings, amount: 200n * MICROS_OF_TIYIN },
    ]);
    expect(await people.redeem(person, 'WELCOME26')).toMatchObject({
      redeemed: { amount: 500n, owed: 200n },
    });
    expect([await balance('available', person), await balance('receivable', person)]).toEqual([300n, 0n]);
    expect((await transfers()).slice(1)).toEqual([
      `promo:WELCOME26:${person} promo available 5000000`,
      `promo-debt:WELCOME26:${person} recover receivable 2000000`,
    ]);
  });

  test('is not redeemed by a person whose payouts are blocked, whatever they type', async () => {
    const { make, people, owner, transfers } = await openPromoWorld();
    await make('WELCOME26', 500n, 10);
    const person = randomUUID();
    await owner.query(
      `insert into payout_block (person_id, reason, made_at) values ($1, 'fraud', now() - interval '1 hour')`,
      [person],
    );
    for (const text of ['WELCOME26', 'NOSUCHCODE'])
      expect(await people.redeem(person, text)).toEqual({ ok: false, reason: 'blocked' });
    expect(await transfers()).toEqual([]);
  });

  test('is redeemed by nobody who made it or agreed to it, by their own phone', async () => {
    const { make, people, staff, isStaff, finance, second, transfers, pool } = await openPromoWorld();
    const [maker, agreeing] = [randomUUID(), randomUUID()];
    await isStaff(maker, finance);
    await isStaff(agreeing, second);
    const id = await make('BIGPROMO', PROMO_ALONE_TIYIN_MAX, 2);
    await staff.agree(id, second);
    for (const person of [maker, agreeing])
      await expect(people.redeem(person, 'BIGPROMO')).rejects.toMatchObject({
        refusal: { kind: 'own-money' },
      });
    expect(await transfers()).toEqual([]);
    expect((await pool.query('select uses from promo_code')).rows).toEqual([{ uses: 0 }]);
    expect(await people.redeem(randomUUID(), 'BIGPROMO')).toMatchObject({ ok: true });
  });

  test('that waits for its day or for a second person is as unknown as one that there is not', async () => {
    const { make, people, staff, second, forward } = await openPromoWorld();
    await make('TOMORROW', 500n, 10, DAY_MS / 2);
    const asked = await make('BIGPROMO', PROMO_ALONE_TIYIN_MAX, 2);
    const redeem = (text: string) => people.redeem(randomUUID(), text);
    for (const text of ['TOMORROW', 'BIGPROMO', 'NOSUCHCODE'])
      expect(await redeem(text)).toEqual({ ok: false, reason: 'promo-unknown' });
    expect(await staff.agree(asked, second)).toMatchObject({ ok: true, promo: { state: 'active' } });
    expect(await redeem('BIGPROMO')).toMatchObject({ ok: true });
    await forward(DAY_MS / 2);
    expect(await redeem('TOMORROW')).toMatchObject({ ok: true });
    await forward(DAY_MS);
    expect(await redeem('TOMORROW')).toEqual({ ok: false, reason: 'promo-ended' });
  });

  test('that staff ended is redeemed by nobody any more', async () => {
    const { make, people, staff, second } = await openPromoWorld();
    const id = await make('WELCOME26', 500n, 10);
    expect(await staff.end(id, second)).toMatchObject({ ok: true, promo: { state: 'ended' } });
    expect(await staff.end(id, second)).toMatchObject({ ok: true, promo: { state: 'ended' } });
    expect(await people.redeem(randomUUID(), 'WELCOME26')).toEqual({ ok: false, reason: 'promo-ended' });
  });
});

describe('a promo code of more than one person may promise', () => {
  test.each([
    [PROMO_ALONE_TIYIN_MAX, 1, 'active'],
    [PROMO_ALONE_TIYIN_MAX / 2n + 1n, 2, 'asked'],
  ] as const)('of %i tiyin, %i times, is %s', async (amount, uses, state) => {
    const { staff, orderOf, finance } = await openPromoWorld();
    expect(await staff.make(orderOf('WELCOME26', amount, uses), finance)).toMatchObject({
      promo: { state },
    });
  });

  test('takes a second one, also where one person makes many small ones in a day', async () => {
    const { staff, orderOf, finance, second, forward } = await openPromoWorld();
    const half = PROMO_ALONE_TIYIN_MAX / 2n;
    const made = await Promise.all(
      ['FIRST1', 'SECOND2', 'THIRD3'].map((text) => staff.make(orderOf(text, half, 1), finance)),
    );
    const states = made.map((one) => (one.ok ? one.promo.state : one.reason)).toSorted();
    expect(states).toEqual(['active', 'active', 'asked']);
    expect(await staff.make(orderOf('FOURTH4', half, 1), second)).toMatchObject({
      promo: { state: 'active' },
    });
    await forward(DAY_MS);
    expect(await staff.make(orderOf('FIFTH5', half, 1), finance)).toMatchObject({
      promo: { state: 'active' },
    });
  });

  test('is agreed to by another, once, and while who asked still counts', async () => {
    const { make, staff, finance, second, owner } = await openPromoWorld();
    const id = await make('BIGPROMO', PROMO_ALONE_TIYIN_MAX, 2);
    const late = await make('TOOLATE', PROMO_ALONE_TIYIN_MAX, 2);
    expect(await staff.agree(id, finance)).toEqual({ ok: false, reason: 'own-promo' });
    const both = await Promise.all([1, 2].map(() => staff.agree(id, second)));
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(both.find(({ ok }) => !ok)).toEqual({ ok: false, reason: 'promo-agreed' });
    await owner.query('update staff set disabled_at = now() where id = $1', [finance]);
    expect(await staff.agree(late, second)).toEqual({ ok: false, reason: 'asker-gone' });
    expect(await staff.end(late, second)).toMatchObject({ promo: { state: 'withdrawn' } });
    await expect(staff.end(late, finance)).rejects.toMatchObject({ refusal: { kind: 'role' } });
  });

  test('is made once, with dates that can be', async () => {
    const { make, staff, orderOf, finance } = await openPromoWorld();
    await make('WELCOME26', 500n, 10);
    const refusalOf = async (...order: Parameters<typeof orderOf>) => {
      const made = await staff.make(orderOf(...order), finance);
      return made.ok ? 'made' : made.reason;
    };
    expect(await refusalOf('welcome26', 500n, 10)).toBe('promo-taken');
    expect(await refusalOf('PASTCODE', 500n, 10, -2 * DAY_MS, -1_000)).toBe('promo-dates');
    expect(await refusalOf('BACKWARD', 500n, 10, 2 * DAY_MS, DAY_MS)).toBe('promo-dates');
    expect(await refusalOf('FOREVER1', 500n, 10, 0, 367 * DAY_MS)).toBe('promo-dates');
  });
});

test('who redeemed a promo code is told to the project that listens', async () => {
  const { make, people, owner, pool, projectId } = await openPromoWorld();
  await owner.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, event_types, created_at, updated_at)
     values (uuidv7(), $1, 'live', 'https://example.com/n', 'example.com', null, now(), now())`,
    [projectId],
  );
  await make('WELCOME26', 500n, 10);
  const person = randomUUID();
  await Promise.all([1, 2].map(() => people.redeem(person, 'WELCOME26')));
  const { rows } = await pool.query(`select type, data from webhook_event where project_id = $1`, [
    projectId,
  ]);
  expect(rows).toEqual([
    {
      type: 'promo.redeemed',
      data: expect.objectContaining({ promo: 'WELCOME26', amount: '500', owed: '0', recipient_id: null }),
    },
  ]);
});
