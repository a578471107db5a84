import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DifferenceAct } from '../../../../../domain/pay/reconcile/port.ts';
import { ProductAlarm } from '../../../../../domain/staff/alarms.ts';
import { payOps } from '../../../../../infra/postgres/pay/ops-view.ts';
import { keyOf, NET, openRailWorld } from './rail-world.ts';

let world: Awaited<ReturnType<typeof openRailWorld>>;
beforeAll(async () => {
  world = await openRailWorld();
});
beforeEach(() => world.forget());
afterAll(() => world.close());

const newest = async () => (await world.differences.list({}, { limit: 1, after: null })).rows[0];
/** A line of nobody's. */
const found = async (rail: 'multicard' | 'bank-file' = 'multicard') => {
  const key = keyOf(randomUUID());
  const line = { key, direction: 'out', uuid: null, reference: null, amount: NET, commission: 0n } as const;
  await world.take([{ ...line, at: new Date('2026-11-29T10:00:00Z'), says: 'somebody' }], false, rail);
  const difference = await newest();
  if (!difference) throw new Error('nothing was found');
  return difference.id;
};
const act = (id: string, kind: DifferenceAct, by = world.maker) => world.differences.act(id, by, kind);
const note = (text: string) => ({ kind: 'note', text }) as const;
const actionsOf = async (id: string) =>
  (
    await world.pool.query(
      'select action, staff_id, reason from payout_action where subject = $1 order by at, id',
      [id],
    )
  ).rows;
const begins = async (rail: string) => {
  const { rows } = await world.owner.query<{ id: string }>(
    `insert into payout_batch (project_id, rail, name, made_by, made_at, state, content_hash, submitted_at)
     values ($1, $2, 'test', $3, now(), 'approved', sha256('x'), now()) returning id`,
    [world.projectId, rail, world.maker],
  );
  return world.owner.query(`update payout_batch set state = 'running' where id = $1`, [rows[0]?.id]).then(
    () => 'running',
    (error: unknown) => `${Reflect.get(error as object, 'code')} ${Reflect.get(error as object, 'detail')}`,
  );
};

describe('a difference is somebody’s work', () => {
  test('it gets an owner, a note and an end, each in the name of who did it', async () => {
    const [id, other] = [await found(), await world.staff('admin')];
    expect(await act(id, { kind: 'own' })).toMatchObject({
      ok: true,
      difference: { owner: world.maker, note: null },
    });
    expect(await act(id, { kind: 'own' }, other)).toMatchObject({ difference: { owner: other } });
    expect(await act(id, note('the bank charges for its own orders'))).toMatchObject({
      difference: { owner: other, note: 'the bank charges for its own orders', closedAt: null },
    });
    expect(await act(id, { kind: 'close', text: null })).toMatchObject({
      difference: { closedBy: world.maker, closedAt: expect.any(Date) },
    });
    expect(await act(id, note('more'))).toEqual({
      ok: false,
      refusal: { kind: 'batch-state', state: 'closed' },
    });
    expect(await actionsOf(id)).toEqual([
      { action: 'difference-own', staff_id: world.maker, reason: null },
      { action: 'difference-own', staff_id: other, reason: null },
      { action: 'difference-note', staff_id: world.maker, reason: 'the bank charges for its own orders' },
      { action: 'difference-close', staff_id: world.maker, reason: null },
    ]);
  });

  test('it is not closed without saying why, and not by everybody', async () => {
    const id = await found();
    expect(await act(id, { kind: 'close', text: null })).toMatchObject({ refusal: { state: 'unexplained' } });
    for (const role of ['operator', 'developer', 'viewer'])
      for (const kind of [{ kind: 'own' }, note('x'), { kind: 'close', text: 'x' }] as const)
        expect(await act(id, kind, await world.staff(role))).toEqual({
          ok: false,
          refusal: { kind: 'role' },
        });
    expect(await act(randomUUID(), { kind: 'own' })).toEqual({ ok: false, refusal: { kind: 'unknown' } });
    await expect(act(id, note('card 8600 1234 5678 9004'))).rejects.toMatchObject({ code: '23514' });
    expect(await actionsOf(id)).toEqual([]);
    expect(await act(id, { kind: 'close', text: 'a charge' })).toMatchObject({
      difference: { note: 'a charge', owner: world.maker },
    });
  });

  test('what a person closed stays closed, however often its line comes', async () => {
    const id = await found();
    await act(id, { kind: 'close', text: 'a charge' });
    await world.take([]);
    expect(await world.openDifferences()).toEqual([]);
    await expect(
      world.owner.query('update difference set closed_at = null, closed_by = null where id = $1', [id]),
    ).rejects.toMatchObject({ code: 'NB009' });
  });
});

test('an unexplained difference stops new batches of its rail alone, until somebody says why; the book’s stops all', async () => {
  expect(await begins('multicard')).toBe('running');
  const id = await found('bank-file');
  expect(await begins('multicard')).toBe('running');
  expect(await begins('bank-file')).toBe('NB031 difference');
  await act(id, note('the bank’s own charge'));
  expect(await begins('bank-file')).toBe('running');
  await world.differences.ofEquation('all', 'held', -1n);
  expect([await begins('multicard'), await begins('bank-file')]).toEqual([
    'NB031 difference',
    'NB031 difference',
  ]);
  await world.differences.ofEquation('all', 'held', null);
  expect([await begins('multicard'), await begins('bank-file')]).toEqual(['running', 'running']);
});

test('a batch is not closed while one of its payments is a difference', async () => {
  const one = await world.paid();
  await world.take([world.lineOf(one, { amount: NET - 1n })]);
  await world.pool.query('select dispatch_finish_batches(100)');
  const close = () =>
    world.pool.query(
      'select state from batch_close($1, (select version from payout_batch where id = $1), $2)',
      [one.batchId, world.maker],
    );
  await expect(close()).rejects.toMatchObject({ code: 'NB027', detail: 'difference' });
  const difference = await newest();
  await act(difference?.id ?? '', { kind: 'close', text: 'a charge of a tiyin' });
  expect((await close()).rows).toEqual([{ state: 'closed' }]);
});

describe('an equation that is wrong', () => {
  const openOnes = async () => {
    const { rows } = await world.differences.list(
      { open: true, rail: 'multicard' },
      { limit: 9, after: null },
    );
    return rows.map(({ bucket, amount }) => [bucket, amount]);
  };

  test('is one difference for each amount, goes by itself, and is there again when it is wrong again', async () => {
    expect(await world.differences.ofEquation('multicard', 'wallet', 5n)).toBe(true);
    expect(await world.differences.ofEquation('multicard', 'wallet', 5n)).toBe(false);
    expect(await openOnes()).toEqual([['wallet', 5n]]);
    expect(await world.differences.ofEquation('multicard', 'wallet', 6n)).toBe(true);
    expect(await openOnes()).toEqual([['wallet', 6n]]);
    expect(await world.differences.ofEquation('multicard', 'wallet', null)).toBe(false);
    expect(await openOnes()).toEqual([]);
    expect(await world.differences.ofEquation('multicard', 'wallet', 6n)).toBe(true);
    expect(await openOnes()).toEqual([['wallet', 6n]]);
  });

  test('by an amount that a person has closed is no news; by another one it is', async () => {
    await world.differences.ofEquation('multicard', 'wallet', 7n);
    const difference = await newest();
    await act(difference?.id ?? '', { kind: 'close', text: 'a charge that no line tells' });
    expect(await world.differences.ofEquation('multicard', 'wallet', 7n)).toBe(false);
    expect(await openOnes()).toEqual([]);
    expect(await world.differences.ofEquation('multicard', 'wallet', 8n)).toBe(true);
    await world.differences.ofEquation('multicard', 'wallet', null);
  });
});

test('lists go by rail, bucket and whether they are open, in pages', async () => {
  const ids = [await found('bank-file'), await found('bank-file'), await found('bank-file')];
  const list = (filter: object, limit = 100, after: string | null = null) =>
    world.differences.list(filter, { limit, after });
  const first = await list({ open: true, rail: 'bank-file', bucket: 'only-theirs' }, 2);
  expect(first.rows.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
  const second = await list({ open: true, rail: 'bank-file' }, 2, first.next);
  expect(second.rows.map(({ id }) => id)).toEqual([ids[0]]);
  expect((await list({ open: true, bucket: 'duplicate' })).rows).toEqual([]);
  expect(
    (await list({ open: false, rail: 'bank-file' })).rows.every(({ closedAt }) => closedAt !== null),
  ).toBe(true);
});

test('operators are told of it, as of a rail that is stopped, in words that their page knows', async () => {
  const alarms = async () => {
    const all = await payOps.alarms(world.pool, new Date());
    return all.map((one) => ProductAlarm.parse(one)).map(({ alarm, subject }) => `${alarm} ${subject}`);
  };
  expect(await alarms()).not.toContain('money-differs bank-file');
  const id = await found('bank-file');
  await world.pool.query(`select rail_stop('bank-file', $1, 'test')`, [world.maker]);
  expect(await alarms()).toEqual(
    expect.arrayContaining(['money-differs bank-file', 'rail-stopped bank-file']),
  );
  await act(id, note('a charge'));
  expect(await alarms()).not.toContain('money-differs bank-file');
});
