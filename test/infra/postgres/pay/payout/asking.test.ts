import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MoneyRefusedError } from '../../../../../domain/pay/refusals.ts';
import { destinationSecrets } from '../../../../../infra/pay/destination-secrets.ts';
import { inTransaction } from '../../../../../infra/postgres/engine/transaction.ts';
import { refusing } from '../../../../../infra/postgres/pay/money-faults.ts';
import { answerOnce } from '../../../../../infra/postgres/pay/money-requests.ts';
import { destinationStore } from '../../../../../infra/postgres/pay/payout/destinations.ts';
import { HOUR_MS, openPaying, UZS } from './paying.ts';

const AT_ONCE = 50;
const MINUTE_MS = 60_000;
const GROSS = 20_000n * UZS;
const refused = (code: string, detail?: string) =>
  expect.objectContaining(detail === undefined ? { code } : { code, detail });
const notPayable = (because: string) => refused('NB011', because);

/** Until it is so late in UTC. */
function msUntil(hours: number, minutes: number): number {
  const at = new Date();
  at.setUTCHours(hours, minutes, 0, 0);
  const ms = at.getTime() - Date.now();
  return ms > 0 ? ms : ms + 24 * HOUR_MS;
}

const withdraw = `
select payout_ask($1, 'withdrawal', null, $2, null, null, null, null, $3, 'multicard', $4, 0, 'person')`;

let pay: Awaited<ReturnType<typeof openPaying>>;
let rich: Awaited<ReturnType<typeof pay.person>>;
beforeAll(async () => {
  pay = await openPaying();
});
afterEach(() => pay.moveClock(0));
afterAll(() => pay.close());

const newRich = async () => {
  rich = await pay.person(30_000_000n * UZS);
  return rich;
};
const ask = (gross = GROSS, more: { destination?: string; fee?: bigint } = {}) =>
  pay.ask({ person: rich.id, destination: rich.card, gross, ...more });

describe('a withdrawal', () => {
  test('holds its gross and is pending, where no device is bound', async () => {
    await newRich();
    const made = await ask(GROSS, { fee: 1_00n });
    expect(made).toMatchObject({ state: 'pending', version: 1 });
    expect(await rich.held()).toBe(GROSS);
    expect(await pay.one('select gross, fee, net from payout where id = $1', [made.id])).toEqual({
      gross: '2000000',
      fee: '100',
      net: '1999900',
    });
  });

  test('of the whole balance, asked 50 times at once, is there once: 49 are refused for funds, and nothing else is held', async () => {
    const people = await Promise.all(Array.from({ length: 2 }, () => pay.person(GROSS)));
    for (const { id, card, held, available } of people) {
      const asked = await Promise.allSettled(
        Array.from({ length: AT_ONCE }, () => pay.ask({ person: id, destination: card, gross: GROSS })),
      );
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(asked.filter((each) => each.status === 'rejected' && each.reason.code === 'NB001')).toHaveLength(
        AT_ONCE - 1,
      );
      expect([await held(), await available()]).toEqual([GROSS, 0n]);
      expect(await pay.one('select count(*)::int n from payout where person_id = $1', [id])).toEqual({
        n: 1,
      });
    }
  });

  test('is at least 10 000 UZS, at most 5 M, and 10 M in a day of Tashkent', async () => {
    await newRich();
    await expect(ask(10_000n * UZS - 1n)).rejects.toEqual(notPayable('below-minimum'));
    await expect(ask(5_000_000n * UZS + 1n)).rejects.toEqual(notPayable('above-limit'));
    await ask(5_000_000n * UZS);
    await ask(5_000_000n * UZS - 10_000n * UZS);
    await expect(ask(10_000n * UZS + 1n)).rejects.toEqual(notPayable('above-limit'));
    await ask(10_000n * UZS);
  });

  test('counts for its day in Tashkent, which ends at 19:00 UTC', async () => {
    await newRich();
    const before = msUntil(18, 30);
    await pay.moveClock(before);
    for (let n = 0; n < 2; n += 1) await ask(5_000_000n * UZS);
    await expect(ask()).rejects.toEqual(notPayable('above-limit'));
    await pay.moveClock(before + HOUR_MS);
    await expect(ask()).resolves.toMatchObject({ state: 'pending' });
  });

  test.each(['multicard', 'all'])('is not asked for while the switch of %s is off', async (rail) => {
    await newRich();
    await pay.owner.query(
      `update rail set stopped_at = now(), stopped_by = 'navbat', reason = 'a test' where id = $1`,
      [rail],
    );
    await expect(ask()).rejects.toEqual(notPayable('rail-closed'));
    await pay.owner.query('update rail set stopped_at = null, stopped_by = null, reason = null');
    await expect(ask()).resolves.toMatchObject({ state: 'pending' });
  });

  test('that was cancelled does not count for its day', async () => {
    await newRich();
    const first = await ask(5_000_000n * UZS);
    await pay.one('select state from payout_cancel($1, $2, $3, $4)', [first.id, rich.id, 'asked', 'person']);
    await ask(5_000_000n * UZS);
    await expect(ask(5_000_000n * UZS)).resolves.toMatchObject({ state: 'pending' });
  });

  test('is one of three that are open, also when ten are asked at once', async () => {
    await newRich();
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => ask()));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(asked.find((each) => each.status === 'rejected')).toMatchObject({
      reason: notPayable('too-many-open'),
    });
    expect(await rich.held()).toBe(3n * GROSS);
  });

  test('goes to a card of its person, bound a day ago, and neither removed nor distrusted', async () => {
    await newRich();
    const other = await pay.person(GROSS);
    await expect(ask(GROSS, { destination: other.card })).rejects.toEqual(notPayable('destination-gone'));
    const fresh = await pay.destination({ person: rich.id }, { hours: 23.9 });
    await expect(ask(GROSS, { destination: fresh })).rejects.toEqual(notPayable('destination-new'));
    await pay.moveClock(HOUR_MS);
    await expect(ask(GROSS, { destination: fresh })).resolves.toMatchObject({ state: 'pending' });
    await pay.owner.query('update payout_destination set distrusted_at = now() where id = $1', [fresh]);
    await expect(ask(GROSS, { destination: fresh })).rejects.toEqual(notPayable('destination-gone'));
    await pay.pool.query('select payout_destination_remove($1, $2)', [rich.card, rich.id]);
    await expect(ask()).rejects.toEqual(notPayable('destination-gone'));
  });

  test('waits while its person is blocked, as after their phone was taken over', async () => {
    await newRich();
    const thief = await pay.person(GROSS);
    await pay.pool.query('update person_phone set person_id = $2 where person_id = $1', [rich.id, thief.id]);
    await expect(ask()).rejects.toEqual(notPayable('blocked'));
    await pay.moveClock(73 * HOUR_MS);
    await expect(ask()).resolves.toMatchObject({ state: 'pending' });
  });

  test('waits while its person owes money', async () => {
    await newRich();
    const [receivable, earnings] = [await pay.open('receivable', rich.id), await pay.open('earnings')];
    await pay.post([
      { key: randomUUID(), kind: 'take-back', debit: receivable, credit: earnings, amount: 1n },
    ]);
    await expect(ask()).rejects.toEqual(notPayable('receivable-open'));
  });

  test('refused for funds under an Idempotency-Key stays refused under it a day later, and leaves nothing of itself', async () => {
    const of = await pay.person(GROSS - 1n);
    const request = {
      projectId: pay.projectId,
      personId: of.id,
      key: randomUUID(),
      bodyHash: randomBytes(32),
      at: new Date(),
    };
    const askOnce = () =>
      inTransaction(pay.pool, (tx) =>
        answerOnce(tx, request, {
          work: async () => {
            await refusing(tx.query(withdraw, [pay.projectId, of.id, of.card, GROSS]));
            return { status: 202, body: {} };
          },
          refusalOf: (error) =>
            error instanceof MoneyRefusedError ? { status: 422, body: { type: error.refusal.kind } } : null,
        }),
      );
    expect(await askOnce()).toMatchObject({ answer: { status: 422, body: { type: 'insufficient' } } });
    const [available, earnings] = [await pay.open('available', of.id), await pay.open('earnings')];
    const more = { kind: 'earn', debit: earnings, credit: available, amount: GROSS * 10_000n };
    await pay.post([{ key: randomUUID(), ...more }]);
    await pay.moveClock(25 * HOUR_MS);
    expect(await askOnce()).toMatchObject({ repeated: true, answer: { status: 422 } });
    expect(await pay.one('select count(*)::int n from payout where person_id = $1', [of.id])).toEqual({
      n: 0,
    });
    request.key = randomUUID();
    expect(await askOnce()).toMatchObject({ repeated: false, answer: { status: 202 } });
  });

  test.each([
    ['of another source', ['list', null, null, 'person']],
    ['paid by a project', ['withdrawal', randomUUID(), null, 'person']],
    ['in the name of staff', ['withdrawal', null, null, `staff:${randomUUID()}`]],
  ])('is not asked for %s', async (_what, [source, funder, ref, by]) => {
    await newRich();
    await expect(
      pay.pool.query(`select payout_ask($1, $2, $3, $4, null, null, null, $5, $6, 'multicard', $7, 0, $8)`, [
        pay.projectId,
        source,
        funder,
        rich.id,
        ref,
        rich.card,
        GROSS,
        by,
      ]),
    ).rejects.toEqual(refused('NB004'));
  });
});

describe('a device', () => {
  const challenge = async (payout: string): Promise<string> => {
    const id = randomUUID();
    await pay.pool.query('select payout_challenge($1, $2)', [payout, id]);
    return id;
  };

  test('of a day confirms; one that was bound or revoked an hour ago keeps the withdrawal from being asked for', async () => {
    await newRich();
    await pay.device(rich.id, { hours: 1 });
    await expect(ask()).rejects.toEqual(notPayable('device-new'));
    await pay.device(rich.id);
    await expect(ask()).resolves.toMatchObject({ state: 'confirming' });
    await newRich();
    await pay.device(rich.id, { revoked: new Date(Date.now() - HOUR_MS) });
    await expect(ask()).rejects.toEqual(notPayable('device-new'));
    await pay.moveClock(24 * HOUR_MS);
    await expect(ask()).resolves.toMatchObject({ state: 'pending' });
  });

  test('that approves makes the withdrawal pending in the same commit, and no earlier', async () => {
    await newRich();
    await pay.device(rich.id);
    const { id } = await ask();
    const verification = await challenge(id);
    expect(await pay.payout(id)).toMatchObject({ state: 'confirming' });
    await pay.approval(verification, { person: rich.id, amount: GROSS });
    expect(await pay.payout(id)).toMatchObject({ state: 'pending' });
    expect(await rich.held()).toBe(GROSS);
  });

  test.each(['denied', 'reported', 'mismatched'])(
    'that said %s gives the money back in the same commit',
    async (result) => {
      await newRich();
      await pay.device(rich.id);
      const { id } = await ask();
      await pay.approval(await challenge(id), { person: rich.id, amount: GROSS, result });
      expect(await pay.payout(id)).toMatchObject({ state: 'cancelled', reason: result });
      expect([await rich.held(), await rich.available()]).toEqual([0n, 30_000_000n * UZS]);
    },
  );

  test.each([
    ['another amount', { amount: GROSS + 1n }],
    ['another purpose', { purpose: 'login' }],
    ['another person', { person: randomUUID() }],
  ])('that signed %s confirms nothing', async (_what, differs) => {
    await newRich();
    await pay.device(rich.id);
    const { id } = await ask();
    await pay.approval(await challenge(id), { person: rich.id, amount: GROSS, ...differs });
    await pay.pool.query('select payout_confirm_due(100)');
    expect(await pay.payout(id)).toMatchObject({ state: 'confirming' });
  });

  test('that answered before its challenge was known decides all the same', async () => {
    await newRich();
    await pay.device(rich.id);
    const [{ id }, verification] = [await ask(), randomUUID()];
    await pay.approval(verification, { person: rich.id, amount: GROSS });
    expect(await pay.one('select payout_challenge($1, $2) state', [id, verification])).toEqual({
      state: 'pending',
    });
  });

  test('whose no met a book that was held too long is obeyed by housekeeping', async () => {
    await newRich();
    await pay.device(rich.id);
    const { id } = await ask();
    const verification = await challenge(id);
    const holder = await pay.owner.connect();
    try {
      await holder.query('begin');
      await holder.query('select from ledger_book where project_id = $1 for update', [pay.projectId]);
      await pay.approval(verification, { person: rich.id, amount: GROSS, result: 'denied' });
      expect(await pay.payout(id)).toMatchObject({ state: 'confirming' });
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    await pay.pool.query('select payout_confirm_due(100)');
    expect(await pay.payout(id)).toMatchObject({ state: 'cancelled' });
    expect(await rich.held()).toBe(0n);
  });

  test('that never answers costs a quarter of an hour, after which the money is back once, though two ask at once', async () => {
    await newRich();
    await pay.device(rich.id);
    const { id } = await ask();
    await challenge(id);
    await pay.moveClock(14 * MINUTE_MS);
    await pay.pool.query('select payout_expire(1000)');
    expect(await pay.payout(id)).toMatchObject({ state: 'confirming' });
    await pay.moveClock(15 * MINUTE_MS + 1_000);
    await Promise.all([1, 2].map(() => pay.pool.query('select payout_expire(1000)')));
    expect(await pay.payout(id)).toMatchObject({ state: 'cancelled', reason: 'expired' });
    expect([await rich.held(), await rich.available()]).toEqual([0n, 30_000_000n * UZS]);
    await pay.pool.query('select payout_expire(1000)');
  });

  test('is asked by one challenge', async () => {
    await newRich();
    await pay.device(rich.id);
    const { id } = await ask();
    await challenge(id);
    await expect(challenge(id)).rejects.toEqual(refused('NB009'));
  });
});

describe('cancelling', () => {
  const cancel = (id: string, person: string | null) =>
    pay.one<{ state: string }>('select state from payout_cancel($1, $2, $3, $4)', [
      id,
      person,
      'asked',
      'person',
    ]);

  test('gives the money back once, however many ask at once', async () => {
    await newRich();
    const { id } = await ask();
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => cancel(id, rich.id)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(asked.find((each) => each.status === 'rejected')).toMatchObject({
      reason: refused('NB010', 'cancelled'),
    });
    expect([await rich.held(), await rich.available()]).toEqual([0n, 30_000_000n * UZS]);
  });

  test("another's is unknown, and so is none", async () => {
    await newRich();
    const { id } = await ask();
    await expect(cancel(id, randomUUID())).rejects.toEqual(refused('NB028'));
    await expect(cancel(randomUUID(), rich.id)).rejects.toEqual(refused('NB028'));
    await expect(cancel(id, null)).rejects.toEqual(refused('NB028'));
  });

  test('100 settlements and releases at once: one of them moves the money, once', async () => {
    const person = await pay.person(2n * GROSS);
    const withdraw = () => pay.ask({ person: person.id, destination: person.card, gross: GROSS });
    const { id } = await withdraw();
    // What this one holds would pay for a second end of the other.
    await withdraw();
    const [held, clearing] = [
      await pay.open('held', person.id),
      await pay.open('clearing', null, 'multicard'),
    ];
    const before = await pay.balance(clearing);
    const settle = () =>
      pay.postAll([
        {
          key: `resolve:${id}`,
          kind: 'pay',
          debit: held,
          credit: clearing,
          amount: GROSS * 10_000n,
          subject: id,
        },
      ]);
    const ends = await Promise.allSettled(
      Array.from({ length: 100 }, async (_, n) => {
        const state = n % 2 === 1 ? (await cancel(id, person.id)).state : (await settle())[0]?.state;
        if (state === 'repeated') throw new Error('repeated');
      }),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await person.held()).toBe(GROSS);
    const paid = ((await pay.balance(clearing)) - before) / 10_000n;
    expect((await person.available()) + paid).toBe(GROSS);
    expect((await pay.payout(id)).state).toBe(paid === 0n ? 'cancelled' : 'pending');
  });
});

describe('what a key asks for', () => {
  const askByKey = async (
    more: { ref?: string; gross?: bigint; phone?: string; destination?: string | null } = {},
  ) => {
    const { ref = randomUUID(), gross = GROSS, phone = '+998901112233', destination = null } = more;
    return pay.one<{ id: string; state: string; repeated: boolean }>(
      `select id, state, repeated from payout_ask($1, 'api', $1, null, $2, 'Ali Valiyev', 'salary', $3, $4, 'multicard', $5, 0, $6)`,
      [pay.projectId, phone, ref, destination, gross, `key:${randomUUID()}`],
    );
  };
  const funded = async () => pay.balance(await pay.open('funded', pay.projectId));
  beforeAll(async () => {
    const [bank, to] = [await pay.open('bank'), await pay.open('funded', pay.projectId)];
    await pay.post([
      { key: 'top-up', kind: 'top-up', debit: bank, credit: to, amount: 10n * GROSS * 10_000n },
    ]);
  });

  test('is held from what its project has paid in, and waits for a card for 14 days', async () => {
    const before = await funded();
    const { id, state } = await askByKey();
    expect(state).toBe('awaiting-card');
    expect(before - (await funded())).toBe(GROSS * 10_000n);
    await pay.moveClock(14 * 24 * HOUR_MS + 1_000);
    await pay.pool.query('select payout_expire(1000)');
    expect(await pay.payout(id)).toMatchObject({ state: 'cancelled', reason: 'expired' });
    expect(await funded()).toBe(before);
  });

  test('is one payout a reference, asked ten times at once; with another amount the reference is refused', async () => {
    const [ref, before] = [randomUUID(), await funded()];
    const asked = await Promise.all(Array.from({ length: 10 }, () => askByKey({ ref })));
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
    expect(asked.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(before - (await funded())).toBe(GROSS * 10_000n);
    await expect(askByKey({ ref, gross: GROSS + 1n })).rejects.toEqual(refused('NB002'));
    await expect(askByKey({ ref, phone: '+998901112234' })).rejects.toEqual(refused('NB002'));
  });

  test('is bound once, to a card of its payee', async () => {
    const phone = pay.nextPhone();
    const { id } = await askByKey({ phone });
    const bind = (destination: string) =>
      pay.one<{ state: string }>('select state from payout_bind($1, $2, 90::smallint)', [id, destination]);
    const others = await pay.destination({ phone: pay.nextPhone() });
    await expect(bind(others)).rejects.toEqual(notPayable('destination-gone'));
    const [card, second] = [await pay.destination({ phone }), await pay.destination({ phone })];
    const both = await Promise.allSettled([bind(card), bind(second)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await pay.payout(id)).toMatchObject({ state: 'pending' });
  });

  test('holds no card number, in whatever text', async () => {
    await expect(askByKey({ ref: '8600-0000-0000-0007' })).rejects.toEqual(refused('23514'));
    for (const text of ['payee_name', 'purpose', 'reference'])
      expect(
        await pay.one(
          `select data_type || '' type, domain_name as domain from information_schema.columns where table_name = 'payout' and column_name = $1`,
          [text],
        ),
      ).toEqual({ type: 'text', domain: 'payout_text' });
  });

  test('is refused where the project has paid in too little, and leaves nothing', async () => {
    await expect(askByKey({ gross: 1_000_000n * UZS })).rejects.toEqual(refused('NB001'));
  });
});

describe('a destination', () => {
  const add = (person: string, holder = randomBytes(32)) =>
    pay.one<{ id: string }>(
      `select payout_destination_add($1, $2, null, 'multicard', 'x', $3, '1234', 'ALI VALIYEV', true, null, $4) id`,
      [pay.projectId, person, holder, randomUUID()],
    );

  test('is usable after a day, is the same one when it is bound again, and at most three are in use', async () => {
    const of = randomUUID();
    const holder = randomBytes(32);
    const both = await Promise.all([add(of, holder), add(of, holder)]);
    expect(both[0]).toEqual(both[1]);
    expect(
      await pay.one(
        `select usable_from - made_at = interval '24 hours' as waits from payout_destination where id = $1`,
        [both[0]?.id],
      ),
    ).toEqual({ waits: true });
    await add(of);
    await add(of);
    await expect(add(of)).rejects.toEqual(notPayable('too-many-destinations'));
    await pay.pool.query('select payout_destination_remove($1, $2)', [both[0]?.id, of]);
    const again = await add(of, holder);
    expect(again.id).not.toBe(both[0]?.id);
  });

  test('is kept without the plain text of its token, which opens to its own row alone', async () => {
    const secrets = destinationSecrets(pay.hash, pay.rowEncryption);
    const store = destinationStore({ book: pay.projectId, secrets });
    const [personId, token] = [randomUUID(), randomUUID()];
    const card = {
      payee: { personId },
      rail: 'multicard',
      token,
      last4: '4321',
      holderName: 'ALI VALIYEV',
      phoneMatches: true,
      pinfl: '12345678901234',
    } as const;
    const id = await store.add(pay.pool, card);
    expect(await store.add(pay.pool, card)).toBe(id);
    const row = await pay.one<{ text: string; token: Buffer; holder: Buffer }>(
      'select d::text as text, token_encrypted as token, holder_hash as holder from payout_destination d where id = $1',
      [id],
    );
    expect(row.text).not.toContain(token);
    expect(row.text).not.toContain(Buffer.from(token).toString('hex'));
    expect(pay.rowEncryption.decrypt(row.token, id)).toBe(token);
    expect(() => pay.rowEncryption.decrypt(row.token, randomUUID())).toThrow('authenticate');
    expect(row.holder).toEqual(secrets.holderOf(token));
  });

  test('that gave money back is not bound again', async () => {
    const [of, holder] = [randomUUID(), randomBytes(32)];
    const { id } = await add(of, holder);
    await pay.owner.query('update payout_destination set distrusted_at = now() where id = $1', [id]);
    await pay.pool.query('select payout_destination_remove($1, $2)', [id, of]);
    await expect(add(of, holder)).rejects.toEqual(notPayable('destination-gone'));
  });

  test('is not removed by another than its person', async () => {
    const { id } = await add(randomUUID());
    await expect(
      pay.pool.query('select payout_destination_remove($1, $2)', [id, randomUUID()]),
    ).rejects.toEqual(refused('NB028'));
  });
});
