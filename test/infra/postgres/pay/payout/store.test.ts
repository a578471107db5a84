import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DestinationId, PayoutId } from '../../../../../domain/pay/ids.ts';
import { MoneyRefusedError } from '../../../../../domain/pay/refusals.ts';
import type { VerificationId } from '../../../../../domain/shared/ids.ts';
import { inTransaction } from '../../../../../infra/postgres/engine/transaction.ts';
import { answerOnce } from '../../../../../infra/postgres/pay/money-requests.ts';
import { destinationSecrets } from '../../../../../infra/pay/destination-secrets.ts';
import { destinationStore } from '../../../../../infra/postgres/pay/payout/destinations.ts';
import { payoutReads, payoutsDue, payoutStore } from '../../../../../infra/postgres/pay/payout/store.ts';
import { HOUR_MS, openPaying, UZS } from './paying.ts';

const GROSS = 20_000n * UZS;
const refusedWith = (refusal: object) => expect.objectContaining({ name: 'MoneyRefusedError', refusal });

let pay: Awaited<ReturnType<typeof openPaying>>;
let store: ReturnType<typeof payoutStore>;
let reads: ReturnType<typeof payoutReads>;
let cards: ReturnType<typeof destinationStore>;
beforeAll(async () => {
  pay = await openPaying();
  const { pool, projectId: book } = pay;
  store = payoutStore(book);
  reads = payoutReads(pool, book);
  cards = destinationStore({ pool, book, secrets: destinationSecrets(pay.hash, pay.rowEncryption) });
});
afterEach(() => pay.moveClock(0));
afterAll(() => pay.close());

type Person = Awaited<ReturnType<typeof pay.person>>;
const withdrawal = (of: Person, gross = GROSS) =>
  ({
    kind: 'withdrawal',
    personId: of.id,
    destinationId: DestinationId.parse(of.card),
    rail: 'multicard',
    gross,
    fee: 100n,
  }) as const;

describe('a withdrawal', () => {
  test('is asked for, read by its person in pages, and cancelled', async () => {
    const of = await pay.person(3n * GROSS);
    const made = [];
    for (let n = 0; n < 3; n += 1) made.push(await store.ask(pay.pool, withdrawal(of)));
    expect(made[0]).toMatchObject({ state: 'pending', version: 1, repeated: false });
    const first = await reads.ofPerson(of.id, { limit: 2, after: null });
    expect(first.rows.map(({ id }) => id)).toEqual([made[2]?.id, made[1]?.id]);
    const second = await reads.ofPerson(of.id, { limit: 2, after: first.next });
    expect(second).toMatchObject({
      rows: [{ id: made[0]?.id, gross: GROSS, fee: 100n, net: GROSS - 100n, last4: '1234' }],
      next: null,
    });
    const cancelled = {
      payoutId: made[0]?.id ?? PayoutId.parse(randomUUID()),
      personId: of.id,
      reason: 'asked',
      actor: 'person',
    };
    expect(await store.cancel(pay.pool, cancelled)).toBe('cancelled');
    expect(await of.available()).toBe(GROSS);
    await expect(store.cancel(pay.pool, cancelled)).rejects.toEqual(
      refusedWith({ kind: 'payout-state', state: 'cancelled' }),
    );
    expect(await reads.find(cancelled.payoutId)).toMatchObject({ state: 'cancelled', reason: 'asked' });
  });

  test('refused for funds under an Idempotency-Key stays refused under it, and leaves nothing of itself', async () => {
    const of = await pay.person(GROSS - 1n);
    const request = {
      projectId: pay.projectId,
      personId: of.id,
      key: randomUUID(),
      bodyHash: Buffer.alloc(32),
      at: new Date(),
    };
    const ask = () =>
      inTransaction(pay.pool, (tx) =>
        answerOnce(tx, request, {
          work: async () => ({ status: 202, body: { id: (await store.ask(tx, withdrawal(of))).id } }),
          refusalOf: (error) =>
            error instanceof MoneyRefusedError ? { status: 422, body: { type: error.refusal.kind } } : null,
        }),
      );
    expect(await ask()).toMatchObject({ answer: { status: 422, body: { type: 'insufficient' } } });
    const [available, earnings] = [await pay.open('available', of.id), await pay.open('earnings')];
    await pay.post([
      { key: randomUUID(), kind: 'earn', debit: earnings, credit: available, amount: GROSS * 10_000n },
    ]);
    await pay.moveClock(25 * HOUR_MS);
    expect(await ask()).toMatchObject({
      repeated: true,
      answer: { status: 422, body: { type: 'insufficient' } },
    });
    expect((await reads.ofPerson(of.id, { limit: 10, after: null })).rows).toEqual([]);
  });

  test('that a device is asked about is pending when it has answered, or back when nobody did', async () => {
    const of = await pay.person(2n * GROSS);
    await pay.device(of.id);
    const [first, second] = [
      await store.ask(pay.pool, withdrawal(of)),
      await store.ask(pay.pool, withdrawal(of)),
    ];
    const verification = randomUUID() as VerificationId;
    expect(await store.challenged(pay.pool, first.id, verification)).toBe('confirming');
    await pay.approval(verification, { person: of.id, amount: GROSS });
    expect(await store.challenged(pay.pool, first.id, verification)).toBe('pending');
    await pay.moveClock(HOUR_MS);
    const due = payoutsDue(pay.pool);
    expect(await due.confirm(10)).toBe(0);
    expect(await due.expire(10)).toEqual([second.id]);
  });
});

describe('a payout by a key', () => {
  test('is one under its reference, and is bound to the card of its payee', async () => {
    const [bank, funded] = [await pay.open('bank'), await pay.open('funded', pay.projectId)];
    await pay.post([{ key: 'top-up', kind: 'top-up', debit: bank, credit: funded, amount: GROSS * 10_000n }]);
    const phone = pay.nextPhone();
    const request = {
      kind: 'api',
      funder: pay.projectId,
      personId: null,
      phone,
      payeeName: 'Ali Valiyev',
      purpose: 'salary',
      reference: 'order-1',
      destinationId: null,
      rail: 'multicard',
      gross: GROSS,
      fee: 0n,
      keyId: randomUUID(),
    } as const;
    const made = await store.ask(pay.pool, request);
    expect(made).toMatchObject({ state: 'awaiting-card', repeated: false });
    expect(await store.ask(pay.pool, request)).toEqual({ ...made, repeated: true });
    await expect(store.ask(pay.pool, { ...request, gross: GROSS + 1n })).rejects.toEqual(
      refusedWith({ kind: 'key-reused' }),
    );
    await expect(store.ask(pay.pool, { ...request, reference: 'order-2' })).rejects.toEqual(
      refusedWith({ kind: 'insufficient' }),
    );
    const destinationId = DestinationId.parse(await pay.destination({ phone }));
    expect(await store.bind(pay.pool, { payoutId: made.id, destinationId, nameScore: 92 })).toBe('pending');
    expect((await reads.ofFunder(pay.projectId, { limit: 10, after: null })).rows).toMatchObject([
      { id: made.id, reference: 'order-1', nameScore: 92, state: 'pending', destinationId },
    ]);
  });
});

describe('a destination', () => {
  const bound = (personId: string, token: string = randomUUID()) =>
    ({
      payee: { personId },
      rail: 'multicard',
      token,
      last4: '4321',
      holderName: 'ALI VALIYEV',
      phoneMatches: true,
      pinfl: '12345678901234',
    }) as const;

  test('is kept without the plain text of its token, listed, and removed by its person alone', async () => {
    const person = randomUUID();
    const token = randomUUID();
    const id = await cards.add(pay.pool, bound(person, token));
    expect(await cards.add(pay.pool, bound(person, token))).toBe(id);
    expect(await cards.of({ personId: person })).toMatchObject([{ id, last4: '4321', distrusted: false }]);
    expect(
      await pay.one('select d::text like $2 as plain from payout_destination d where id = $1', [
        id,
        `%${token}%`,
      ]),
    ).toEqual({ plain: false });
    await expect(cards.remove(pay.pool, id, randomUUID())).rejects.toEqual(refusedWith({ kind: 'unknown' }));
    await cards.remove(pay.pool, id, person);
    expect(await cards.of({ personId: person })).toEqual([]);
    await cards.add(pay.pool, bound(person));
    await cards.add(pay.pool, bound(person));
    await cards.add(pay.pool, bound(person));
    await expect(cards.add(pay.pool, bound(person))).rejects.toEqual(
      refusedWith({ kind: 'not-payable', because: 'too-many-destinations' }),
    );
  });

  test('of a payee without a person is known by the phone', async () => {
    const phone = pay.nextPhone();
    const id = await cards.add(pay.pool, { ...bound(''), payee: { phone } });
    expect(await cards.of({ phone })).toMatchObject([{ id }]);
  });

  test("gives its token for the hash that was approved, and for no other, though its row was given another card's token", async () => {
    const [mine, thiefs] = [
      await cards.add(pay.pool, bound(randomUUID(), 'mine')),
      await cards.add(pay.pool, bound(randomUUID(), 'thief')),
    ];
    const { hash } = await pay.one<{ hash: Buffer }>(
      'select holder_hash hash from payout_destination where id = $1',
      [mine],
    );
    expect(await cards.tokenOf(mine, hash)).toBe('mine');
    await expect(cards.tokenOf(thiefs, hash)).rejects.toThrow('not the one that was approved');
    await pay.pool.query('update payout_destination set token_encrypted = $2 where id = $1', [
      mine,
      pay.rowEncryption.encrypt('thief', mine),
    ]);
    await expect(cards.tokenOf(mine, hash)).rejects.toThrow('not the one that was approved');
  });
});
