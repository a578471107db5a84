import { createHash, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type HashedLine, hashedText } from '../../../../../domain/pay/batch/content-hash.ts';
import { type Batch, HOUR_MS, openPaying, UZS } from '../payout/paying.ts';

const refused = (code: string, detail?: string) =>
  expect.objectContaining(detail === undefined ? { code } : { code, detail });

let pay: Awaited<ReturnType<typeof openPaying>>;
let maker: string;
let checker: string;
beforeAll(async () => {
  pay = await openPaying();
});
beforeEach(async () => {
  [maker, checker] = [await pay.staff('finance'), await pay.staff('finance')];
});
afterEach(() => pay.moveClock(0));
afterAll(() => pay.close());

const draftOf = async (ids: readonly string[]) =>
  pay.batches.add(await pay.batches.create(maker), maker, ids);
const approved = async (): Promise<Batch> => {
  const { batch } = await pay.submitted();
  return pay.batches.approve(batch, checker, await pay.proof(checker, batch));
};
const stateOf = async (id: string) => (await pay.payout(id)).state;

describe('adding', () => {
  test('the same payout to two batches at once: it stands in one', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id } = await pay.pending();
      const two = [await pay.batches.create(maker), await pay.batches.create(checker)];
      const both = await Promise.allSettled(two.map((batch) => pay.batches.add(batch, maker, [id])));
      expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: refused('NB010', 'batched'),
      });
      expect(await pay.one('select count(*)::int n from payout_item where payout_id = $1', [id])).toEqual({
        n: 1,
      });
    }
  });

  test('many payouts to two batches in opposite orders at once: nobody waits for ever, and each stands in one', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) ids.push((await pay.pending()).id);
    const two = [await pay.batches.create(maker), await pay.batches.create(maker)] as const;
    const both = await Promise.allSettled([
      pay.batches.add(two[0], maker, ids),
      pay.batches.add(two[1], maker, ids.toReversed()),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: refused('NB010', 'batched'),
    });
  });

  test('and cancelling a payout at once: one of the two', async () => {
    const { id, person } = await pay.pending();
    const batch = await pay.batches.create(maker);
    const both = await Promise.allSettled([
      pay.batches.add(batch, maker, [id]),
      pay.one('select state from payout_cancel($1, $2, $3, $4)', [id, person.id, 'asked', 'person']),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const [state, held] = [await stateOf(id), await person.held()];
    expect([state, held]).toEqual(state === 'batched' ? ['batched', 20_000n * UZS] : ['cancelled', 0n]);
  });

  test('all or none, and once: one that is not pending, not there, or there twice adds nothing', async () => {
    const [good, cancelled] = [await pay.pending(), await pay.pending()];
    await pay.owner.query('select state from payout_cancel_now($1, $2, $3)', [
      cancelled.id,
      'asked',
      'staff',
    ]);
    const batch = await pay.batches.create(maker);
    await expect(pay.batches.add(batch, maker, [good.id, cancelled.id])).rejects.toEqual(
      refused('NB010', 'cancelled'),
    );
    await expect(pay.batches.add(batch, maker, [good.id, randomUUID()])).rejects.toEqual(refused('NB028'));
    await expect(pay.batches.add(batch, maker, [good.id, good.id])).rejects.toEqual(
      refused('NB010', 'batched'),
    );
    await expect(pay.batches.add(batch, maker, [])).rejects.toEqual(refused('NB004'));
    expect(await stateOf(good.id)).toBe('pending');
    expect(await pay.batches.read(batch.id)).toMatchObject({ count: 0, total: '0', version: 1 });
  });

  test('what goes by another rail, or to a card that is gone or new, is refused', async () => {
    const { id, person } = await pay.pending();
    await expect(pay.batches.add(await pay.batches.create(maker, 'bank-file'), maker, [id])).rejects.toEqual(
      refused('NB011', 'destination-gone'),
    );
    await pay.pool.query('select payout_destination_remove($1, $2)', [person.card, person.id]);
    await expect(draftOf([id])).rejects.toEqual(refused('NB011', 'destination-gone'));
  });

  test.each(['admin', 'operator', 'developer', 'viewer'])(
    'is not for %s, nor is what else a maker does',
    async (role) => {
      const [other, { id }] = [await pay.staff(role), await pay.pending()];
      const batch = await draftOf([id]);
      for (const ask of [
        () => pay.batches.create(other),
        () => pay.batches.add(batch, other, [id]),
        () => pay.batches.drop(batch, other, [1]),
        () => pay.batches.submit(batch, other),
      ])
        await expect(ask()).rejects.toEqual(refused('NB022'));
      const submitted = await pay.batches.submit(batch, maker);
      await expect(pay.batches.withdraw(submitted, other)).rejects.toEqual(refused('NB022'));
    },
  );

  test('what stands in a batch is not cancelled; what was dropped is pending again, and can be added to another', async () => {
    const { id, person } = await pay.pending();
    const batch = await draftOf([id]);
    await expect(
      pay.one('select state from payout_cancel($1, $2, $3, $4)', [id, person.id, 'asked', 'person']),
    ).rejects.toEqual(refused('NB010', 'batched'));
    await expect(pay.batches.drop(batch, maker, [2])).rejects.toEqual(refused('NB028'));
    const empty = await pay.batches.drop(batch, maker, [1]);
    expect(empty).toMatchObject({ count: 0, total: '0', version: batch.version + 1 });
    await expect(pay.batches.submit(empty, maker)).rejects.toEqual(refused('NB024'));
    expect(await draftOf([id])).toMatchObject({ count: 1 });
  });
});

const contentHash = (lines: readonly HashedLine[]) => createHash('sha256').update(hashedText(lines)).digest();

describe('the content', () => {
  test('has the hash that the twin computes of its rows, without those that were dropped', async () => {
    const {
      batch,
      payouts,
      maker: by,
    } = await pay.submitted([20_000n, 30_000n, 40_000n].map((each) => each * UZS));
    expect(contentHash(await linesOf(batch.id))).toEqual(batch.hash);
    let again = await pay.batches.withdraw(batch, by);
    expect(again.hash).toBeNull();
    again = await pay.batches.drop(again, by, [2]);
    again = await pay.batches.add(again, by, [payouts[1]?.id ?? '']);
    again = await pay.batches.submit(again, by);
    const lines = await linesOf(batch.id);
    expect(lines.map(({ n }) => n)).toEqual([1, 3, 4]);
    expect(contentHash(lines.toReversed())).toEqual(again.hash);
    expect(again.hash).not.toEqual(batch.hash);
  });

  const linesOf = async (id: string) =>
    (
      await pay.pool.query<{ n: number; payoutId: string; net: string; tokenHash: string; last4: string }>(
        `select n, payout_id "payoutId", net, encode(token_hash, 'hex') "tokenHash", last4 from payout_item where batch_id = $1 and state <> 'dropped' order by n`,
        [id],
      )
    ).rows.map((row) => ({ ...row, net: BigInt(row.net) }));
});

describe('running', () => {
  test('is once, however many ask at once', async () => {
    const batch = await approved();
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => pay.batches.run(batch, checker)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await pay.batches.actions(batch.id)).filter((action) => action === 'run')).toHaveLength(1);
  });

  test('is for finance alone, of an approved batch in the version that was read', async () => {
    const batch = await approved();
    for (const role of ['admin', 'operator', 'viewer'])
      await expect(pay.batches.run(batch, await pay.staff(role))).rejects.toEqual(refused('NB022'));
    await expect(pay.batches.run({ ...batch, version: batch.version - 1 }, checker)).rejects.toEqual(
      refused('NB020'),
    );
    const { batch: submitted } = await pay.submitted();
    await expect(pay.batches.run(submitted, checker)).rejects.toEqual(refused('NB027', 'submitted'));
  });

  test('at a time starts then, once, and not when its planner may not run any more', async () => {
    const at = new Date(Date.now() + HOUR_MS);
    const planned = await pay.batches.run(await approved(), checker, at);
    const planner = await pay.staff('finance');
    const lost = await pay.batches.run(await approved(), planner, at);
    expect(planned).toMatchObject({ state: 'approved' });
    const due = async () =>
      (
        await Promise.all([1, 2].map(() => pay.pool.query<{ id: string }>('select batch_run_due(100) id')))
      ).flatMap(({ rows }) => rows.map(({ id }) => id));
    await pay.moveClock(HOUR_MS - 60_000);
    expect(await due()).toEqual([]);
    await pay.pool.query('update staff set disabled_at = now() where id = $1', [planner]);
    await pay.moveClock(HOUR_MS + 1_000);
    expect(await due()).toEqual([planned.id]);
    expect(await pay.batches.read(lost.id)).toMatchObject({ state: 'approved' });
    expect(
      await pay.one(
        `select staff_id, reason from payout_action where batch_id = $1 and action = 'plan-ended'`,
        [lost.id],
      ),
    ).toEqual({
      staff_id: planner,
      reason: 'who planned it may not run it any more: another person runs it',
    });
    expect(await due()).toEqual([]);
  });

  test('is planned 31 days ahead at most, and a plan ends by a pause', async () => {
    const batch = await approved();
    await expect(pay.batches.run(batch, checker, new Date(Date.now() + 32 * 24 * HOUR_MS))).rejects.toEqual(
      refused('NB004'),
    );
    await expect(pay.batches.pause(batch, checker)).rejects.toEqual(refused('NB027', 'approved'));
    const planned = await pay.batches.run(batch, checker, new Date(Date.now() + HOUR_MS));
    await pay.batches.pause(planned, await pay.staff('operator'));
    await pay.moveClock(2 * HOUR_MS);
    expect((await pay.pool.query('select batch_run_due(100)')).rows).toEqual([]);
  });

  test('is paused by finance, operators and admins, without a version too; resumed by no operator', async () => {
    let batch = await pay.batches.run(await approved(), checker);
    const operator = await pay.staff('operator');
    await expect(pay.batches.pause(batch, await pay.staff('viewer'))).rejects.toEqual(refused('NB022'));
    await expect(pay.batches.pause(batch, operator, batch.version - 1)).rejects.toEqual(refused('NB020'));
    batch = await pay.batches.pause(batch, operator, null);
    expect(batch).toMatchObject({ state: 'paused' });
    await expect(pay.batches.resume(batch, operator)).rejects.toEqual(refused('NB022'));
    expect(await pay.batches.resume(batch, await pay.staff('admin'))).toMatchObject({ state: 'running' });
  });
});

describe('the rest', () => {
  test('that is cancelled is pending again, nothing of it goes on, and the batch is closed for good', async () => {
    const running = await pay.batches.run(await approved(), checker);
    await expect(pay.batches.cancelRest(running, checker)).rejects.toEqual(refused('NB027', 'running'));
    const done = await pay.batches.cancelRest(await pay.batches.pause(running, checker), checker);
    expect(done).toMatchObject({ state: 'done' });
    const { rows } = await pay.pool.query<{ item: string; payout: string }>(
      'select i.state item, p.state payout from payout_item i join payout p on p.id = i.payout_id where i.batch_id = $1',
      [done.id],
    );
    expect(rows).toEqual(Array(2).fill({ item: 'dropped', payout: 'pending' }));
    await expect(pay.batches.resume(done, checker)).rejects.toEqual(refused('NB027', 'done'));
    const closed = await pay.batches.close(done, checker);
    expect(closed).toMatchObject({ state: 'closed' });
    for (const sql of [
      `update payout_batch set state = 'running', closed_at = null, done_at = null where id = $1`,
      `update payout_batch set version = version + 1 where id = $1`,
    ])
      await expect(pay.owner.query(sql, [closed.id])).rejects.toEqual(refused('NB009'));
  });

  test('of what is on its way stays until it has its end', async () => {
    const running = await pay.batches.run(await approved(), checker);
    await pay.owner.query(
      `update payout_item set state = 'dispatched', dispatch_id = $2 where batch_id = $1 and n = 1`,
      [running.id, randomUUID()],
    );
    const paused = await pay.batches.cancelRest(await pay.batches.pause(running, checker), checker);
    expect(paused).toMatchObject({ state: 'paused' });
    await expect(pay.batches.resume(paused, checker)).rejects.toEqual(refused('NB027', 'rest-cancelled'));
    await expect(pay.batches.close(paused, checker)).rejects.toEqual(refused('NB027', 'paused'));
  });

  test('is rejected with a reason by who may approve, and kept with who said so', async () => {
    const { batch } = await pay.submitted();
    await expect(pay.batches.reject(batch, checker, null)).rejects.toEqual(refused('NB004'));
    await expect(pay.batches.reject(batch, checker, '  ')).rejects.toEqual(refused('NB004'));
    await expect(pay.batches.reject(batch, await pay.staff('operator'))).rejects.toEqual(refused('NB022'));
    expect(await pay.batches.reject(batch, await pay.staff('admin'))).toMatchObject({
      state: 'draft',
      hash: null,
    });
    expect(await pay.batches.actions(batch.id)).toEqual(['create', 'add', 'submit', 'reject']);
    await expect(
      pay.owner.query(`update payout_action set reason = 'none' where batch_id = $1`, [batch.id]),
    ).rejects.toEqual(refused('NB009'));
  });
});
