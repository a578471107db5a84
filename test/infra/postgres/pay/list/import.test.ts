import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ListLine } from '../../../../../domain/pay/list/read-list.ts';
import { GROSS, openListing } from './listing.ts';

let pay: Awaited<ReturnType<typeof openListing>>;
beforeAll(async () => {
  pay = await openListing();
});
afterAll(() => pay.close());

const MANY = 1_000_000n * GROSS;
const DAY_MS = 86_400_000;
const payoutsOf = async (list: string) => (await pay.lists.payouts(list, 0, 100)).rows;
const imported = async (by: string, of: readonly ListLine[], more = {}) => {
  const done = await pay.lists.import(pay.order(by, of, more));
  if (!done.ok) throw new Error(`refused: ${done.refusal.kind}`);
  return done.id;
};
const count = async (table: 'payout_list' | 'payout' | 'payout_destination', where = 'true') =>
  (await pay.pool.query<{ n: number }>(`select count(*)::int n from ${table} where ${where}`)).rows[0]?.n;

describe('a list', () => {
  test('is there with a payout and a hold for each line, and who imported it', async () => {
    const by = await pay.funder(10n * GROSS);
    const of = pay.lines(3);
    const id = await imported(by.id, of);
    expect(await payoutsOf(id)).toMatchObject(
      of.map(({ line, phone }) => ({
        line,
        phone,
        name: 'Vali Aliyev',
        purpose: 'Grant',
        amount: GROSS,
        state: 'awaiting-card',
        nameScore: null,
        link: null,
      })),
    );
    expect([await by.held(), await by.funded()]).toEqual([3n * GROSS, 7n * GROSS]);
    expect(await pay.lists.find(id)).toMatchObject({
      lines: 3,
      total: 3n * GROSS,
      importedBy: pay.staffId,
      funder: by.id,
      rail: 'multicard',
      states: { 'awaiting-card': 3 },
    });
    const { rows } = await pay.pool.query(
      `select action, count, total from payout_action where subject = $1`,
      [id],
    );
    expect(rows).toEqual([{ action: 'list-import', count: 3, total: (3n * GROSS).toString() }]);
  });

  test('that the funds do not cover is refused as a whole, and it is said how much is missing', async () => {
    const by = await pay.funder(2n * GROSS);
    const before = await count('payout_list');
    const done = await pay.lists.import(pay.order(by.id, pay.lines(3)));
    expect(done).toEqual({ ok: false, refusal: { kind: 'funds-missing', tiyin: GROSS } });
    expect([await by.held(), await by.funded(), await count('payout_list')]).toEqual([
      0n,
      2n * GROSS,
      before,
    ]);
    const nobody = await pay.lists.import(pay.order(randomUUID(), pay.lines(1)));
    expect(nobody).toEqual({ ok: false, refusal: { kind: 'funds-missing', tiyin: GROSS } });
  });

  test('of the same money, imported ten times at once, is there once', async () => {
    const by = await pay.funder(3n * GROSS);
    const done = await Promise.all(
      Array.from({ length: 10 }, () => pay.lists.import(pay.order(by.id, pay.lines(3)))),
    );
    expect(done.filter(({ ok }) => ok)).toHaveLength(1);
    expect([await by.held(), await by.funded()]).toEqual([3n * GROSS, 0n]);
  });

  test('under the same key is the same list, at once and later; another under that key is refused', async () => {
    const by = await pay.funder(10n * GROSS);
    const order = pay.order(by.id, pay.lines(2));
    const done = await Promise.all(Array.from({ length: 5 }, () => pay.lists.import(order)));
    expect(new Set(done.map((each) => (each.ok ? each.id : each.refusal.kind))).size).toBe(1);
    expect(done.filter((each) => each.ok && !each.repeated)).toHaveLength(1);
    expect(await by.held()).toBe(2n * GROSS);
    const other = await pay.lists.import({ ...order, name: 'Another' });
    expect(other).toEqual({ ok: false, refusal: { kind: 'key-reused' } });
    const colleague = await pay.lists.import({
      ...pay.order(by.id, pay.lines(1)),
      key: order.key,
      staffId: await pay.staff('finance'),
    });
    expect(colleague).toMatchObject({ ok: true, repeated: false });
  });

  test.each(['operator', 'admin', 'developer', 'viewer'])('is not imported by %s', async (role) => {
    const by = await pay.funder(GROSS);
    const staffId = await pay.staff(role);
    expect(await pay.lists.import(pay.order(by.id, pay.lines(1), { staffId }))).toEqual({
      ok: false,
      refusal: { kind: 'role' },
    });
  });

  test('of more lines than one call takes is one commit', async () => {
    const by = await pay.funder(MANY);
    const id = await imported(by.id, pay.lines(5_001));
    expect(await pay.lists.find(id)).toMatchObject({ states: { 'awaiting-card': 5_001 } });
    expect(await by.held()).toBe(5_001n * GROSS);
  }, 30_000);
});

describe('no part of a list is ever there', () => {
  const begin = (lines: number, total: bigint, by: string) =>
    pay.pool.query('select list from list_import($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
      pay.projectId,
      pay.staffId,
      randomUUID(),
      by,
      'x',
      'multicard',
      Buffer.alloc(32),
      lines,
      total.toString(),
    ]);
  const add = 'select list_import_lines($1, $2, $3, $4, $5, $6, $7, $8, $9)';
  const oneLine = (list: string, line = 2) => [
    list,
    [line],
    [pay.nextPhone()],
    [Buffer.alloc(32)],
    ['Vali'],
    ['Grant'],
    [GROSS.toString()],
    [null],
    [null],
  ];

  test('where its lines do not come, its commit fails', async () => {
    const by = await pay.funder(MANY);
    await expect(begin(1, GROSS, by.id)).rejects.toMatchObject({
      code: 'NB004',
    });
    expect(await by.held()).toBe(0n);
  });

  test('and none is added later', async () => {
    const by = await pay.funder(MANY);
    const id = await imported(by.id, pay.lines(1));
    await expect(pay.pool.query(add, oneLine(id, 3))).rejects.toMatchObject({ code: 'NB004' });
    expect(await payoutsOf(id)).toHaveLength(1);
  });

  test('where a line is refused by the database, nothing stays', async () => {
    const by = await pay.funder(MANY);
    const [before, payouts] = [await count('payout_list'), await count('payout')];
    const of = [...pay.lines(1), ...pay.lines(1, { name: 'to 8600 1234 1234 1239' })];
    await expect(pay.lists.import(pay.order(by.id, of))).rejects.toMatchObject({ code: '23514' });
    expect([await count('payout_list'), await count('payout'), await by.held()]).toEqual([
      before,
      payouts,
      0n,
    ]);
  });
});

describe('a payee who has a card', () => {
  test('of an earlier link, or as a person, waits for none; the name on the card is scored', async () => {
    const by = await pay.funder(MANY);
    const [known, person, stranger] = pay.lines(3) as [ListLine, ListLine, ListLine];
    const card = await pay.destination({ phone: known.phone });
    const personId = await pay.personOf(person.phone);
    const own = await pay.destination({ person: personId });
    await pay.owner.query('alter table payout_destination disable trigger payout_destination_same');
    await pay.owner.query(`update payout_destination set holder_name = 'ALIYEV VALI' where id = $1`, [card]);
    await pay.owner.query('alter table payout_destination enable trigger payout_destination_same');
    const id = await imported(by.id, [known, person, stranger]);
    expect(await payoutsOf(id)).toMatchObject([
      { state: 'pending', nameScore: 100, nameOnCard: 'ALIYEV VALI', last4: '1234' },
      { state: 'pending', nameScore: null },
      { state: 'awaiting-card' },
    ]);
    const { rows } = await pay.pool.query(
      'select person_id, destination_id from payout where list_id = $1 order by list_line',
      [id],
    );
    expect(rows).toEqual([
      { person_id: null, destination_id: card },
      { person_id: personId, destination_id: own },
      { person_id: null, destination_id: null },
    ]);
  });

  test('that was removed or gave money back, or is of another phone, waits for a new one', async () => {
    const by = await pay.funder(MANY);
    const of = pay.lines(3) as [ListLine, ListLine, ListLine];
    const [gone, bad] = [
      await pay.destination({ phone: of[0].phone }),
      await pay.destination({ phone: of[1].phone }),
    ];
    // Of nobody in the list.
    await pay.destination({ phone: pay.nextPhone() });
    await pay.owner.query('update payout_destination set removed_at = now() where id = $1', [gone]);
    await pay.owner.query('update payout_destination set distrusted_at = now() where id = $1', [bad]);
    expect((await payoutsOf(await imported(by.id, of))).map(({ state }) => state)).toEqual([
      'awaiting-card',
      'awaiting-card',
      'awaiting-card',
    ]);
  });
});

test('payees of a bank are locked in the order in which requests by API keys lock them, before any is changed', async () => {
  const by = await pay.funder(2n * GROSS);
  const bank = { account: '20208000900123456789', mfo: '00014' };
  const lock = (phone: string) => `hashtextextended('payee:${phone}', 0)`;
  const isInOrder = async (one: string, other: string) =>
    (await pay.one<{ yes: boolean }>(`select ${lock(one)} < ${lock(other)} as yes`, [])).yes;
  // Two whose locks are in another order than their numbers.
  let [one, other] = pay.lines(2, { bank });
  while (one && other && (await isInOrder(one.phone, other.phone))) [one, other] = pay.lines(2, { bank });
  if (!one || !other) throw new Error('no lines');
  const [holder, second] = [await pay.owner.connect(), await pay.owner.connect()];
  await holder.query('begin');
  await holder.query(`select pg_advisory_xact_lock(${lock(other.phone)})`);
  const list = imported(by.id, [one, other], { rail: 'bank-file' });
  try {
    const waits = () =>
      pay.one(
        `select count(*)::int n from pg_locks l join pg_database d on d.oid = l.database
         where d.datname = current_database() and l.locktype = 'advisory' and not l.granted`,
        [],
      );
    await expect.poll(waits, { timeout: 2_500, interval: 20 }).toEqual({ n: 1 });
    await second.query('begin');
    const { rows } = await second.query(`select pg_try_advisory_xact_lock(${lock(one.phone)}) as free`);
    expect(rows).toEqual([{ free: true }]);
  } finally {
    for (const held of [second, holder]) {
      await held.query('rollback');
      held.release();
    }
  }
  await list;
});

test('accounts of a bank are encrypted, bound to their rows, and used again', async () => {
  const by = await pay.funder(MANY);
  const bank = { account: '20208000900123456789', mfo: '00014' };
  const of = pay.lines(2, { bank });
  const first = await payoutsOf(await imported(by.id, of, { rail: 'bank-file' }));
  expect(first).toMatchObject([
    { state: 'pending', last4: '6789', nameScore: null },
    { state: 'pending', last4: '6789' },
  ]);
  const { rows } = await pay.pool.query<{ id: string; token_encrypted: Buffer }>(
    'select id, token_encrypted from payout_destination where phone = any ($1)',
    [of.map(({ phone }) => phone)],
  );
  expect(rows.map(({ id, token_encrypted: token }) => pay.rowEncryption.decrypt(token, id))).toEqual([
    '00014:20208000900123456789',
    '00014:20208000900123456789',
  ]);
  expect(rows.some(({ token_encrypted: token }) => token.includes('20208000900123456789'))).toBe(false);
  const before = await count('payout_destination');
  await imported(by.id, of, { rail: 'bank-file' });
  expect(await count('payout_destination')).toBe(before);
});

test('the same amount to the same phone within 90 days is found, unless it was given back', async () => {
  const by = await pay.funder(MANY);
  const of = pay.lines(3);
  const id = await imported(by.id, of);
  const [, second] = await payoutsOf(id);
  await pay.owner.query('select payout_cancel_now($1, $2, $3)', [second?.id, 'asked', 'staff:x']);
  const again = [of[0], of[1], { ...(of[2] as ListLine), amount: GROSS + 1n }] as ListLine[];
  const now = new Date();
  expect(await pay.lists.repeats(again, now)).toEqual([
    { line: 2, list: 'Grants of November', at: expect.any(Date) },
  ]);
  expect(await pay.lists.repeats(again, new Date(now.getTime() + 91 * DAY_MS))).toEqual([]);
});

test('lists come newest first, in pages, and only those of the book', async () => {
  const by = await pay.funder(MANY);
  const ids = [];
  for (let n = 0; n < 3; n += 1) ids.push(await imported(by.id, pay.lines(1)));
  const first = await pay.lists.page(null, 2);
  expect(first).toMatchObject({ hasMore: true, rows: [{ id: ids[2] }, { id: ids[1] }] });
  expect((await pay.lists.page(ids[1] ?? null, 1)).rows).toMatchObject([{ id: ids[0] }]);
  expect(await pay.lists.find(randomUUID())).toBeNull();
  expect(await pay.lists.funds(by.id)).toBe(MANY - 3n * GROSS);
});
