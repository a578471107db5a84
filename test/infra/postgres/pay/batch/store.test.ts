import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Phone } from '../../../../../domain/shared/phone.ts';
import { staffPhones } from '../../../../../infra/postgres/pay/batch/staff-phones.ts';
import type { BatchNow } from '../../../../../domain/pay/batch/port.ts';
import { BatchId, PayoutId } from '../../../../../domain/pay/ids.ts';
import { batchesDue, batchStore } from '../../../../../infra/postgres/pay/batch/store.ts';
import { HOUR_MS, openPaying, UZS } from '../payout/paying.ts';

const refusedWith = (refusal: object) => expect.objectContaining({ name: 'MoneyRefusedError', refusal });

let pay: Awaited<ReturnType<typeof openPaying>>;
let store: ReturnType<typeof batchStore>;
let maker: string;
let checker: string;
beforeAll(async () => {
  pay = await openPaying();
  store = batchStore(pay.projectId);
  [maker, checker] = [await pay.staff('finance'), await pay.staff('finance')];
});
afterEach(() => pay.moveClock(0));
afterAll(() => pay.close());

type Made = BatchNow & { readonly id: BatchId };
const by = (staffId: string, { id, version }: Made) => ({ batchId: id, version, staffId });
const draft = async (payouts: readonly string[]): Promise<Made> => {
  const made = await store.create(pay.pool, { rail: 'multicard', name: 'salaries', staffId: maker });
  return {
    id: made.id,
    ...(await store.add(
      pay.pool,
      by(maker, made),
      payouts.map((id) => PayoutId.parse(id)),
    )),
  };
};
const submitted = async (payouts: readonly string[]): Promise<Made> => {
  const made = await draft(payouts);
  return { id: made.id, ...(await store.submit(pay.pool, by(maker, made))) };
};
const approved = async (payouts: readonly string[]): Promise<Made> => {
  const made = await submitted(payouts);
  const { id, contentHash, count, total } = made;
  const proof = await pay.proof(checker, {
    ...made,
    total: `${total}`,
    hash: Buffer.from(contentHash ?? '', 'hex'),
  });
  const read = { contentHash: contentHash ?? '', count, total };
  return { id, ...(await store.approve(pay.pool, by(checker, made), read, proof)) };
};

describe('a batch', () => {
  test('goes from draft to closed, and says so to whoever reads', async () => {
    const payouts = [await pay.pending(), await pay.pending(30_000n * UZS)];
    let made = await approved(payouts.map(({ id }) => id));
    expect(made).toMatchObject({ state: 'approved', count: 2, total: 50_000n * UZS });
    const step = async (after: Promise<BatchNow>) => {
      made = { id: made.id, ...(await after) };
    };
    await step(store.run(pay.pool, by(checker, made), null));
    await step(store.pause(pay.pool, { ...by(checker, made), version: null }, 'look'));
    await step(store.resume(pay.pool, by(checker, made)));
    await step(store.pause(pay.pool, by(checker, made), null));
    await step(store.cancelRest(pay.pool, by(checker, made), 'late'));
    expect(made).toMatchObject({ state: 'done', count: 2, total: 50_000n * UZS });
    await step(store.close(pay.pool, by(checker, made)));
    expect(await pay.batches.actions(made.id)).toEqual([
      'create',
      'add',
      'submit',
      'approve',
      'run',
      'pause',
      'resume',
      'pause',
      'cancel-rest',
      'close',
    ]);
  });

  test('is refused with what a route can tell, and changed in nothing', async () => {
    const made = await submitted([(await pay.pending()).id]);
    const read = { contentHash: made.contentHash ?? '', count: made.count, total: made.total };
    const hash = Buffer.from(read.contentHash, 'hex');
    const approve = async (staffId: string, version = made.version, more: object = {}) =>
      store.approve(
        pay.pool,
        { ...by(staffId, made), version },
        { ...read, ...more },
        await pay.proof(staffId, { ...made, total: `${made.total}`, hash }),
      );
    await expect(approve(maker)).rejects.toEqual(refusedWith({ kind: 'maker' }));
    await expect(approve(await pay.staff('viewer'))).rejects.toEqual(refusedWith({ kind: 'role' }));
    await expect(approve(checker, made.version - 1)).rejects.toEqual(refusedWith({ kind: 'stale-version' }));
    await expect(approve(checker, made.version, { total: made.total + 1n })).rejects.toEqual(
      refusedWith({ kind: 'content-differs' }),
    );
    await expect(approve(await pay.staff('admin', { hours: 1 }))).rejects.toEqual(
      refusedWith({ kind: 'approver-new' }),
    );
    await expect(store.approve(pay.pool, by(checker, made), read, randomUUID())).rejects.toEqual(
      refusedWith({ kind: 'proof', because: 'unknown' }),
    );
    await expect(store.run(pay.pool, by(checker, made), null)).rejects.toEqual(
      refusedWith({ kind: 'batch-state', state: 'submitted' }),
    );
    await expect(
      store.submit(pay.pool, { ...by(maker, made), batchId: BatchId.parse(randomUUID()) }),
    ).rejects.toEqual(refusedWith({ kind: 'unknown' }));
    const { person } = await pay.pending();
    await staffPhones(pay.pool).declare(checker, Phone.parse(person.phone));
    expect(await approve(checker)).toMatchObject({ state: 'approved' });
  });

  test('is sent back by rejecting, dropping and withdrawing', async () => {
    let made = await submitted([(await pay.pending()).id, (await pay.pending()).id]);
    const { id } = made;
    made = { id, ...(await store.reject(pay.pool, by(checker, made), 'wrong month')) };
    made = { id, ...(await store.drop(pay.pool, by(maker, made), [1], null)) };
    made = { id, ...(await store.submit(pay.pool, by(maker, made))) };
    expect(await store.withdraw(pay.pool, by(maker, made), null)).toMatchObject({
      state: 'draft',
      contentHash: null,
      count: 1,
    });
    expect((await pay.batches.actions(id)).slice(-4)).toEqual(['reject', 'drop', 'submit', 'withdraw']);
  });

  test('starts when it was planned to', async () => {
    const made = await approved([(await pay.pending()).id]);
    await store.run(pay.pool, by(checker, made), new Date(Date.now() + HOUR_MS));
    expect(await batchesDue(pay.pool).run(10)).toEqual([]);
    await pay.moveClock(HOUR_MS + 1_000);
    expect(await batchesDue(pay.pool).run(10)).toEqual([made.id]);
    expect(await pay.batches.read(made.id)).toMatchObject({ state: 'running' });
  });
});
