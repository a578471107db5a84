import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GROSS, openListing } from '../list/listing.ts';

/** Cards of a phone: whoever bound them, their payee is never kept from binding another. */
let pay: Awaited<ReturnType<typeof openListing>>;
beforeAll(async () => {
  pay = await openListing();
});
afterAll(() => pay.close());

const add = async (phone: string, rail = 'multicard') =>
  (
    await pay.one<{ id: string }>(
      `select payout_destination_add($1, null, $2, $5, 'x', $3, '1234', 'ALI VALIYEV', true, null, $4) id`,
      [pay.projectId, phone, randomBytes(32), randomUUID(), rail],
    )
  ).id;
const inUse = async (phone: string) =>
  (
    await pay.pool.query<{ id: string }>(
      'select id from payout_destination where phone = $1 and removed_at is null order by made_at',
      [phone],
    )
  ).rows.map(({ id }) => id);
const waiting = `select count(distinct pid)::int n from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()`;
const three = async (phone: string) => [
  await pay.destination({ phone }, { hours: 99 }),
  await pay.destination({ phone }, { hours: 98 }),
  await pay.destination({ phone }, { hours: 97 }),
];

test('the oldest make room; those to which an open payout goes stay, and those of another rail or of a person', async () => {
  const phone = pay.nextPhone();
  const [oldest = '', older = '', old = ''] = await three(phone);
  const account = await pay.destination({ phone }, { hours: 100, rail: 'bank-file' });
  const own = await pay.destination({ person: await pay.personOf(phone) }, { hours: 100 });
  const by = await pay.funder(GROSS);
  const { id } = await pay.one<{ id: string }>(
    `select id from payout_ask($1, 'api', $2, null, $3, 'Ali Valiyev', 'salary', $4, $5, 'multicard', $6, 0, $7)`,
    [pay.projectId, by.id, phone, randomUUID(), oldest, GROSS, `key:${randomUUID()}`],
  );
  const fourth = await add(phone);
  expect(await inUse(phone)).toEqual([account, oldest, older, old, fourth]);
  expect(await pay.payout(id)).toMatchObject({ state: 'pending' });
  await pay.owner.query(`select payout_cancel_now($1, 'asked', 'staff:x')`, [id]);
  const fifth = await add(phone);
  expect(await inUse(phone)).toEqual([account, old, fourth, fifth]);
  const kept = 'select removed_at is null as kept from payout_destination where id = $1';
  expect(await pay.one(kept, [own])).toEqual({ kept: true });
});

test('three lists of a bank that name a phone keep its payee from no card', async () => {
  const by = await pay.funder(4n * GROSS);
  const [line] = pay.lines(1);
  if (!line) throw new Error('no line');
  for (const digit of ['1', '2', '3']) {
    const bank = { account: `2261800010000000000${digit}`, mfo: '00873' };
    const done = await pay.lists.import(pay.order(by.id, [{ ...line, bank }], { rail: 'bank-file' }));
    expect(done.ok).toBe(true);
  }
  const card = await add(line.phone);
  expect(await inUse(line.phone)).toHaveLength(4);
  expect(await inUse(line.phone)).toContain(card);
});

test('one is not removed under a payout that is being made to it', async () => {
  const phone = pay.nextPhone();
  const [oldest = ''] = await three(phone);
  const making = await pay.owner.connect();
  await making.query('begin');
  await making.query(
    `insert into payout (project_id, source, funder, phone, reference, destination_id, rail, gross, fee, net, state, asked_by, created_at, state_at)
     values ($1, 'api', $2, $3, $4, $5, 'multicard', 1000000, 0, 1000000, 'pending', $6, now(), now())`,
    [pay.projectId, randomUUID(), phone, randomUUID(), oldest, `key:${randomUUID()}`],
  );
  const adding = add(phone);
  await expect.poll(async () => (await pay.one<{ n: number }>(waiting, [])).n, { interval: 20 }).toBe(1);
  await making.query('commit');
  making.release();
  await adding;
  expect(await inUse(phone)).toContain(oldest);
});
