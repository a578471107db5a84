import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkHeld, checkRail } from '../../../../../domain/pay/reconcile/equation.ts';
import { GROSS } from '../dispatch-world.ts';
import { COMMISSION, keyOf, NET, openRailWorld } from './rail-world.ts';

const MICROS = 10_000n;
const TOTAL = NET + COMMISSION;

let world: Awaited<ReturnType<typeof openRailWorld>>;
beforeAll(async () => {
  world = await openRailWorld();
});
beforeEach(() => world.forget());
afterAll(() => world.close());

/** The books of the rail, whose wallet nobody asks. */
const expectBalanced = async () => {
  const { rails, held } = await world.equation.books();
  expect(rails.flatMap((rail) => checkRail(rail, null))).toEqual([]);
  expect(checkHeld(held)).toEqual([]);
};
/** What left by lines that are differences, as the equation has it. */
const unposted = async () =>
  (await world.equation.books()).rails.find(({ rail }) => rail === 'multicard')?.unposted ?? 0n;
const counts = async () =>
  (
    await world.pool.query(
      `select (select count(*) from ledger_transfer where project_id = $1)::int transfers, (select count(*) from statement_line)::int lines,
         (select count(*) from difference)::int differences, (select count(*) from statement)::int statements`,
      [world.projectId],
    )
  ).rows[0];

describe('a line of a payment that was paid', () => {
  test('is posted once under its key, to the tiyin, however often it comes', async () => {
    const one = await world.paid();
    const before = [await world.of('clearing'), await world.of('wallet')];
    const report = await world.take([world.lineOf(one)]);
    expect(report).toMatchObject({
      changed: 1,
      buckets: [{ bucket: 'matched', lines: 1, total: TOTAL }],
      odd: [],
      stopped: [],
    });
    expect(await world.of('clearing')).toBe((before[0] ?? 0n) - TOTAL * MICROS);
    expect(await world.of('wallet')).toBe((before[1] ?? 0n) + TOTAL * MICROS);
    const kept = await counts();
    for (let times = 0; times < 3; times += 1)
      expect(await world.take([world.lineOf(one)])).toMatchObject({ changed: 0, statementId: null });
    expect(await counts()).toEqual(kept);
    const { rows } = await world.pool.query(
      'select kind, amount, subject_id from ledger_transfer where key = $1',
      [`line:${keyOf(`out ${one.uuid}`)}`],
    );
    expect(rows).toEqual([
      { kind: 'line', amount: (TOTAL * MICROS).toString(), subject_id: one.payee.payoutId },
    ]);
    await expectBalanced();
  });

  test('of a closed batch leaves the batch closed, and of a signed day is late', async () => {
    const one = await world.paid();
    await world.pool.query('select dispatch_finish_batches(100)');
    await world.pool.query('select batch_close(id, version, $2) from payout_batch where id = $1', [
      one.batchId,
      world.maker,
    ]);
    await world.owner.query(
      `insert into ledger_day (project_id, day, k, n_to, totals, head, jws) values ($1, '2026-11-29', 0, 0, '{}', sha256('x'), 'a.b.c')`,
      [world.projectId],
    );
    await world.take([world.lineOf(one)]);
    expect(await world.bucketsOf(one)).toEqual([{ bucket: 'late', direction: 'out', posted: true }]);
    const { rows } = await world.pool.query(
      `select t.event_at, b.state from ledger_transfer t, payout_batch b where t.key = $1 and b.id = $2`,
      [`line:${keyOf(`out ${one.uuid}`)}`, one.batchId],
    );
    expect(rows).toEqual([{ event_at: new Date('2026-11-29T10:00:00Z'), state: 'closed' }]);
    await world.owner.query('alter table ledger_day disable trigger user');
    await world.owner.query('delete from ledger_day where project_id = $1', [world.projectId]);
    await world.owner.query('alter table ledger_day enable trigger user');
  });

  test('of several calls waits for a dispatch before the first of them locks the book', async () => {
    const [one, other] = [await world.paid(), await world.paid()];
    await world.take([world.lineOf(other)]);
    const holder = await world.owner.connect();
    await holder.query('begin');
    await holder.query('select from payout_dispatch where id = $1 for update', [other.id]);
    // Each line is a call: the first posts, the second gives back.
    const lines = [world.lineOf(one), world.backOf(other)];
    const imported = world.statementsOf(1).import(world.source(lines), { dryRun: false });
    try {
      const waiting = async () =>
        (
          await world.owner.query(
            `select from pg_locks l join pg_stat_activity a on a.pid = l.pid where a.datname = current_database() and not l.granted`,
          )
        ).rowCount;
      await expect.poll(waiting, { timeout: 2_500, interval: 20 }).toBe(1);
      const book = world.owner.query(
        'select from ledger_book where project_id = $1 for no key update nowait',
        [world.projectId],
      );
      await expect(book).resolves.toMatchObject({ rowCount: 1 });
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    expect((await imported).buckets).toMatchObject([{ bucket: 'matched' }, { bucket: 'returned' }]);
  });

  test('in ten imports at once is posted once', async () => {
    const [one, two] = [await world.paid(), await world.paid()];
    const lines = [world.lineOf(one), world.lineOf(two)];
    const before = await counts();
    await Promise.all(Array.from({ length: 10 }, (_, n) => world.take(n % 2 ? lines : lines.toReversed())));
    expect(await counts()).toMatchObject({ transfers: before.transfers + 2, lines: before.lines + 2 });
    await expectBalanced();
  });
});

test('a rehearsal tells the same, and leaves nothing', async () => {
  const [one, other] = [await world.paid(), await world.paid()];
  const lines = [
    world.lineOf(one),
    world.lineOf(other, { amount: NET + 1n }),
    world.lineOf(one, { uuid: randomUUID() }),
    world.backOf(one),
  ];
  const before = await counts();
  const rehearsed = await world.take(lines, true);
  expect(await counts()).toEqual(before);
  expect(await world.railOf('multicard')).toEqual({ reason: null, stopped: false });
  expect(rehearsed).toMatchObject({ statementId: null, stopped: [] });
  const { buckets, odd, changed } = await world.take(lines);
  expect({ buckets, odd, changed }).toEqual({
    buckets: rehearsed.buckets,
    odd: rehearsed.odd,
    changed: rehearsed.changed,
  });
  expect(buckets.map(({ bucket }) => bucket)).toEqual(['matched', 'returned', 'amount-differs', 'duplicate']);
});

test('what came back gives the person all of it, distrusts the card and ends the dispatch, once', async () => {
  const one = await world.paid();
  const expense = await world.of('commission', null);
  await world.take([world.lineOf(one)]);
  expect(await world.balance(one.payee.available)).toBe(0n);
  for (let times = 0; times < 3; times += 1) await world.take([world.backOf(one), world.lineOf(one)]);
  expect(await world.balance(one.payee.available)).toBe(GROSS * MICROS);
  expect(await world.of('commission', null)).toBe(expense + COMMISSION * MICROS);
  expect(await world.stateOf(one.payee)).toMatchObject({
    payout: 'returned',
    item: 'returned',
    told: ['receipt-paid', 'receipt-returned'],
  });
  expect(await world.dispatch(one.id)).toMatchObject({ state: 'returned' });
  expect(await world.bucketsOf(one)).toEqual([
    { bucket: 'matched', direction: 'out', posted: true },
    { bucket: 'returned', direction: 'back', posted: true },
  ]);
  expect(await world.openDifferences()).toEqual([]);
  await expectBalanced();
});

describe('money that left twice, or against our word, stops its rail', () => {
  test('a second payment of one that was paid', async () => {
    const [one, before] = [await world.paid(), await unposted()];
    const second = world.lineOf(one, { uuid: randomUUID(), at: new Date('2026-11-29T10:01:00Z') });
    expect(await world.take([world.lineOf(one), second])).toMatchObject({ stopped: ['multicard'] });
    expect(await world.railOf('multicard')).toEqual({ reason: 'duplicate', stopped: true });
    expect(await world.openDifferences()).toEqual([
      { bucket: 'duplicate', amount: TOTAL, payoutId: one.payee.payoutId },
    ]);
    // Opened again by people, it is not stopped again by the same.
    await world.owner.query('update rail set stopped_at = null, stopped_by = null, reason = null');
    expect(await world.take([second])).toMatchObject({ changed: 0, stopped: [] });
    expect(await world.railOf('multicard')).toEqual({ reason: null, stopped: false });
    expect(await unposted()).toBe(before + TOTAL);
  });

  test('a payment that the rail had told as failed: the person owes it', async () => {
    const one = await world.failed();
    expect(await world.stateOf(one.payee)).toMatchObject({ payout: 'failed' });
    expect(await world.balance(one.payee.available)).toBe(GROSS * MICROS);
    const report = await world.take([world.lineOf(one)]);
    expect(report).toMatchObject({ stopped: ['multicard'], buckets: [{ bucket: 'paid-though-failed' }] });
    const owed = await world.open('receivable', one.payee.personId);
    expect(await world.balance(owed)).toBe(-NET * MICROS);
    expect(await world.bucketsOf(one)).toEqual([
      { bucket: 'paid-though-failed', direction: 'out', posted: true },
    ]);
    await world.take([world.lineOf(one)]);
    expect(await world.balance(owed)).toBe(-NET * MICROS);
    await expectBalanced();
  });
});

test('a line before our own end of it waits, and is decided when we know; no statement has to tell it again', async () => {
  const one = await world.sent();
  expect(await world.take([world.lineOf(one)])).toMatchObject({ changed: 1, buckets: [{ bucket: 'early' }] });
  const kept = await counts();
  expect(await world.take([world.lineOf(one)])).toMatchObject({ changed: 0, statementId: null });
  expect(await counts()).toEqual(kept);
  await world.move(one.id, one.call, { kind: 'answered', status: 'success' }, 'paid');
  expect(await world.take([])).toMatchObject({ changed: 1 });
  expect(await world.bucketsOf(one)).toEqual([{ bucket: 'matched', direction: 'out', posted: true }]);
  await expectBalanced();
});

test('what names nobody is a difference with those whose it may be, and moves nothing', async () => {
  const [one, two] = [await world.paid(), await world.paid()];
  const { transfers } = await counts();
  const nameless = world.lineOf(one, {
    key: keyOf(randomUUID()),
    uuid: null,
    reference: null,
    says: 'someone',
  });
  const report = await world.take([nameless]);
  expect(report).toMatchObject({ buckets: [{ bucket: 'only-theirs', lines: 1 }] });
  expect(report.odd[0]?.suggestions).toHaveLength(3);
  expect((await counts()).transfers).toBe(transfers);
  const [difference] = (await world.differences.list({ open: true }, { limit: 1, after: null })).rows;
  expect(difference).toMatchObject({ bucket: 'only-theirs', says: 'someone', payoutId: null, owner: null });
  expect(difference?.suggestions).toHaveLength(3);
  await world.take([world.lineOf(one), world.lineOf(two)]);
});

test('another amount is a difference, and is not posted', async () => {
  const [one, before] = [await world.paid(), await unposted()];
  const { transfers } = await counts();
  await world.take([world.lineOf(one, { amount: NET - 1n })]);
  expect((await counts()).transfers).toBe(transfers);
  expect(await world.openDifferences()).toEqual([
    { bucket: 'amount-differs', amount: TOTAL - 1n, payoutId: one.payee.payoutId },
  ]);
  // Clearing has all of it: a tiyin less has left.
  expect(await unposted()).toBe(before - 1n);
  await expectBalanced();
});

test('three equal payments and two lines, three times in two orders: two are matched, the third is ours alone', async () => {
  const three = [await world.paid(), await world.paid(), await world.paid()];
  const lines = three.slice(0, 2).map((one) => world.lineOf(one));
  for (const order of [lines, lines.toReversed(), lines]) await world.take(order);
  await world.owner.query(`alter table payout_dispatch disable trigger user`);
  await world.owner.query(
    `update payout_dispatch set state_at = state_at - interval '25 hours' where id = any ($1)`,
    [three.map(({ id }) => id)],
  );
  await world.owner.query(`alter table payout_dispatch enable trigger user`);
  expect(await world.differences.findOnlyOurs()).toBe(1);
  expect(await world.differences.findOnlyOurs()).toBe(0);
  expect(await world.openDifferences()).toEqual([
    { bucket: 'only-ours', amount: TOTAL, payoutId: three[2]?.payee.payoutId },
  ]);
  // Its line comes after all.
  await world.take([world.lineOf(three[2] as (typeof three)[number])]);
  expect(await world.openDifferences()).toEqual([]);
  await expectBalanced();
});

test('a file is imported once, by its bytes, in the name of who did it', async () => {
  const one = await world.paid();
  const file = { sha256: createHash('sha256').update(one.id).digest(), by: world.maker };
  const source = { ...world.source([world.lineOf(one)]), file };
  const first = await world.statements.import(source, { dryRun: false });
  const again = await world.statements.import(source, { dryRun: false });
  expect(first).toMatchObject({ repeated: false, changed: 1 });
  expect(again).toMatchObject({
    repeated: true,
    changed: 0,
    statementId: first.statementId,
    buckets: first.buckets,
  });
  const viewer = await world.staff('viewer');
  const forbidden = { ...source, file: { sha256: createHash('sha256').update('x').digest(), by: viewer } };
  await expect(world.statements.import(forbidden, { dryRun: false })).rejects.toMatchObject({
    refusal: { kind: 'role' },
  });
  const { rows } = await world.statements.list('multicard', { limit: 1, after: null });
  expect(rows).toMatchObject([
    {
      id: first.statementId,
      importedBy: world.maker,
      // Until another person agrees.
      buckets: [{ bucket: 'early', lines: 1, total: TOTAL }],
      toAgree: { count: 1, total: TOTAL },
    },
  ]);
});

describe('the functions, called by whoever has SQL', () => {
  const importAs = async (line: object) => {
    const { rows } = await world.pool.query<{ id: string }>(
      `select statement_open($1, 'multicard', null, now(), now(), null) id`,
      [world.projectId],
    );
    await world.pool.query('select statement_import($1, $2)', [rows[0]?.id, JSON.stringify([line])]);
  };
  const given = (one: Awaited<ReturnType<typeof world.paid>>, change: object) => ({
    ...world.lineOf(one),
    amount: NET.toString(),
    commission: COMMISSION.toString(),
    bucket: 'matched',
    dispatch: one.id,
    payout: one.payee.payoutId,
    suggestions: [],
    ...change,
  });

  test('post no line that is not exactly of its payment', async () => {
    const [one, other, open] = [await world.paid(), await world.paid(), await world.sent()];
    for (const change of [
      { uuid: randomUUID(), reference: null },
      { uuid: null, reference: `${one.id}-2` },
      { uuid: null, reference: null },
      { amount: (NET + 1n).toString() },
      { commission: '0' },
      { dispatch: other.id, payout: other.payee.payoutId },
      { payout: other.payee.payoutId },
      { direction: 'back' },
      { bucket: 'returned' },
      { dispatch: open.id, payout: open.payee.payoutId, uuid: open.uuid, reference: open.reference },
    ])
      await expect(importAs(given(one, change)), JSON.stringify(change)).rejects.toMatchObject({
        code: 'NB024',
      });
    await importAs(given(one, {}));
    // A second line of it, whatever its key.
    await expect(importAs(given(one, { key: 'k2' }))).rejects.toMatchObject({ code: '23505' });
    await expectBalanced();
  });

  test('let nobody change what a statement said', async () => {
    for (const sql of [
      'update statement_line set amount = 1',
      'delete from statement_line',
      'update difference set closed_at = now()',
      'insert into difference (project_id, rail, bucket, subject, amount, found_at) select project_id, rail, bucket, $1, 1, now() from difference',
    ])
      await expect(world.pool.query(sql.replace('$1', `'x'`)), sql).rejects.toMatchObject({ code: '42501' });
    for (const sql of [
      'update statement_line set amount = 1',
      `update statement_line set bucket = 'early'`,
      'truncate difference',
    ])
      await expect(world.owner.query(sql), sql).rejects.toMatchObject({ code: 'NB009' });
  });
});
