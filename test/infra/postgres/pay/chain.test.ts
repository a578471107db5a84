import { afterEach, describe, expect, test } from 'vitest';
import { dayAfter, tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import { headOutbox } from '../../../../infra/postgres/pay/ledger/head-outbox.ts';
import { inTransaction } from '../../../../infra/postgres/engine/transaction.ts';
import { closeBlocks } from '../../../../workers/pay/close-blocks.ts';
import { blocksOf, type ChainedBook, daysOf, DAY_MS, openChainedBook } from './chained-book.ts';

let ledger: ChainedBook;
afterEach(() => ledger.close());

describe('a block is closed', () => {
  test('as soon as it holds a thousand transfers, and what is left after a minute', async () => {
    ledger = await openChainedBook();
    await ledger.post(999);
    await ledger.tick();
    expect(await blocksOf(ledger)).toEqual([]);
    await ledger.post(1_252);
    await ledger.tick();
    expect(await blocksOf(ledger)).toEqual([1_000, 2_000]);
    await ledger.moveTo(59_000 - 30_000);
    await ledger.tick();
    expect(await blocksOf(ledger)).toEqual([1_000, 2_000]);
    await ledger.moveTo(60_000);
    await ledger.tick();
    expect(await blocksOf(ledger)).toEqual([1_000, 2_000, 2_251]);
    await ledger.tick();
    expect(await blocksOf(ledger)).toHaveLength(3);
  });

  test('at midnight in Tashkent: no block holds transfers of two days', async () => {
    ledger = await openChainedBook();
    await ledger.post(10);
    await ledger.moveTo(DAY_MS);
    await ledger.post(1_000);
    await ledger.tick();
    expect(await blocksOf(ledger)).toEqual([10, 1_010]);
  });

  test('once, by whoever is first: many workers at once make one chain, and one row a day', async () => {
    ledger = await openChainedBook();
    await ledger.post(3_500);
    await ledger.moveTo(3 * DAY_MS);
    const workers = Array.from({ length: 12 }, () => closeBlocks(ledger.deps));
    for (let round = 0; round < 3; round += 1) await Promise.all(workers.map((tick) => tick()));
    expect(ledger.faults).toEqual([]);
    expect(await blocksOf(ledger)).toEqual([1_000, 2_000, 3_000, 3_500]);
    expect((await daysOf(ledger)).map(({ nTo }) => nTo)).toEqual([3_500, 3_500, 3_500]);
    expect((await ledger.verify()).differences).toEqual([]);
  });

  test('of no other book, and by nobody else, while one holds the head', async () => {
    ledger = await openChainedBook();
    await ledger.post(1_000);
    await ledger.deps.chain.close(ledger.book, false);
    await ledger.post(1_000);
    const holder = await ledger.owner.connect();
    try {
      await holder.query('begin');
      await holder.query('select from ledger_head where project_id = $1 for update', [ledger.book]);
      expect(await ledger.deps.chain.close(ledger.book, true)).toBe(0);
      // Its lock is gone by the answer; of a connection that is cut, some time later.
      await holder.query('rollback');
    } finally {
      holder.release(true);
    }
    expect(await ledger.deps.chain.close(ledger.book, true)).toBe(1);
  });

  test('and where a transfer is missing, the fault is told by its code and no other book waits', async () => {
    ledger = await openChainedBook();
    await ledger.post(1_000);
    const client = await ledger.superuser.connect();
    await client.query(`set session_replication_role = replica`);
    await client.query('delete from ledger_transfer where n = 500');
    await client.query('reset session_replication_role');
    client.release();
    // Books are closed in the order of their ids: some of these come after it.
    const others = [];
    for (let made = 0; made < 8; made += 1) others.push(await ledger.newBook());
    await ledger.moveTo(DAY_MS);
    await ledger.tick();
    expect(ledger.faults).toMatchObject([{ code: 'NB008' }]);
    expect(await blocksOf(ledger)).toEqual([]);
    const days = 'select count(*)::int as days from ledger_day where project_id = any ($1)';
    expect((await ledger.owner.query(days, [others])).rows).toEqual([{ days: others.length }]);
  });
});

describe('a day of Tashkent', () => {
  test('has its row after midnight, also one without transfers, with totals by class since the beginning', async () => {
    ledger = await openChainedBook();
    const today = tashkentDay(ledger.now());
    await ledger.post(5);
    await ledger.tick();
    // The day before the first transfer is nobody's.
    expect(await daysOf(ledger)).toEqual([]);
    await ledger.moveTo(2 * DAY_MS);
    await ledger.tick();
    await ledger.post(5);
    await ledger.moveTo(3 * DAY_MS);
    await ledger.tick();
    const totals = { earnings: '-46', available: '45', held: '1' };
    const twice = { earnings: '-92', available: '90', held: '2' };
    expect(await daysOf(ledger)).toEqual([
      { day: today, nTo: 5, totals },
      { day: dayAfter(today), nTo: 5, totals },
      { day: dayAfter(today, 2), nTo: 10, totals: twice },
    ]);
    expect((await ledger.verify()).differences).toEqual([]);
  });

  test('of a book that nothing was posted in begins with the day before', async () => {
    ledger = await openChainedBook();
    await ledger.tick();
    expect(await daysOf(ledger)).toEqual([
      { day: dayAfter(tashkentDay(ledger.now()), -1), nTo: 0, totals: {} },
    ]);
    expect((await ledger.verify()).differences).toEqual([]);
  });

  test('that has its row gets no further transfer: one that waited for the book bears a later time', async () => {
    ledger = await openChainedBook();
    await ledger.post(5);
    await ledger.moveTo(DAY_MS);
    await ledger.tick();
    // A clock that goes back, as a sandbox's may.
    await ledger.moveTo(0);
    await ledger.post(5);
    await ledger.moveTo(2 * DAY_MS);
    await ledger.tick();
    expect((await daysOf(ledger)).map(({ nTo }) => nTo)).toEqual([5, 10]);
    expect((await ledger.verify()).differences).toEqual([]);
  });

  test('is not written while its last transfers are in no block, is over, and follows the day before', async () => {
    ledger = await openChainedBook();
    const today = tashkentDay(ledger.now());
    const { chain } = ledger.deps;
    await ledger.post(5);
    await chain.close(ledger.book, true);
    expect(await chain.endDay(ledger.book, today)).toBeNull();
    await ledger.post(1);
    await ledger.moveTo(DAY_MS);
    expect(await chain.endDay(ledger.book, today)).toBeNull();
    expect(await chain.write(ledger.book, today, 'x.x.x')).toBe(false);
    await chain.close(ledger.book, true);
    expect(await chain.endDay(ledger.book, today)).toMatchObject({ k: '2', n_to: '6' });
    expect(await chain.write(ledger.book, today, 'x.x.x')).toBe(true);
    expect(await chain.write(ledger.book, today, 'y.y.y')).toBe(false);
    await ledger.moveTo(3 * DAY_MS);
    expect(await chain.write(ledger.book, dayAfter(today, 2), 'x.x.x')).toBe(false);
    expect(await ledger.jwsOf()).toBe('x.x.x');
  });
});

describe('by the role that runs, a day', () => {
  const rows = async () => (await ledger.owner.query('select from ledger_day')).rowCount;
  const write = (day: string, jws: string) =>
    ledger.app.query<{ is: boolean }>('select ledger_day_write($1, $2::date, $3) as is', [
      ledger.book,
      day,
      jws,
    ]);

  test('is the next one alone, whatever the caller says', async () => {
    ledger = await openChainedBook();
    const yesterday = dayAfter(tashkentDay(ledger.now()), -1);
    const others = ['-infinity', 'infinity', '4713-01-01 BC', '0001-01-01', '2200-01-01'];
    for (const day of [...others, dayAfter(yesterday, -1), dayAfter(yesterday)]) {
      // The first day of all has none before it, which raises.
      await write(day, 'a.b.c').catch(() => undefined);
      expect(await rows(), day).toBe(0);
    }
    expect((await write(yesterday, 'a.b.c')).rows).toEqual([{ is: true }]);
    await ledger.moveTo(DAY_MS);
    await ledger.tick();
    expect(ledger.faults).toEqual([]);
    expect(await rows()).toBe(2);
  });

  test('has no signature but one in the form of a compact JWS', async () => {
    ledger = await openChainedBook();
    const yesterday = dayAfter(tashkentDay(ledger.now()), -1);
    for (const jws of ['junk', 'a.b', 'a.b.c.d', 'a.b.', 'a.b.c ', 'a.b.ü', `a.b.${'c'.repeat(4_000)}`])
      await expect(write(yesterday, jws), jws).rejects.toMatchObject({ code: '23514' });
  });

  test('is of a calendar: the owner writes no other by mistake', async () => {
    ledger = await openChainedBook();
    for (const day of ['-infinity', 'infinity', '0001-01-01', '2200-01-01'])
      await expect(
        ledger.owner.query(
          `insert into ledger_day (project_id, day, k, n_to, totals, head, jws) values ($1, $2, 0, 0, '{}', '', 'a.b.c')`,
          [ledger.book, day],
        ),
        day,
      ).rejects.toMatchObject({ code: '23514' });
  });

  test('is not written by who may lose it, or sees an older book', async () => {
    ledger = await openChainedBook();
    await ledger.post(5);
    await ledger.moveTo(DAY_MS);
    const day = dayAfter(tashkentDay(ledger.now()), -1);
    // A claim waits for nothing, and reads one row that it locks: it is right in any snapshot.
    const levels = ['begin isolation level repeatable read', 'begin isolation level serializable'];
    const asleep = 'begin; set local synchronous_commit = off';
    const steps: readonly (readonly [string, readonly string[]])[] = [
      ['select ledger_close($1, 10, $2::date is not null)', [asleep, ...levels]],
      ['select from ledger_day_end($1, $2)', [asleep, ...levels]],
      [`select ledger_day_write($1, $2, 'a.b.c')`, [asleep, ...levels]],
      [`select from ledger_day_claim('chat') c where c.project_id = $1 and c.day::date = $2`, [asleep]],
    ];
    const client = await ledger.app.connect();
    const within = async (begin: string, sql: string) => {
      await client.query(begin);
      await client.query(sql, [ledger.book, day]);
      await client.query('commit');
    };
    try {
      for (const [sql, refused] of steps) {
        for (const begin of refused) {
          await expect(within(begin, sql), `${begin}: ${sql}`).rejects.toMatchObject({ code: 'NB004' });
          await client.query('rollback');
        }
        await within('begin', sql);
      }
    } finally {
      client.release();
    }
    // The signature that is none.
    expect((await ledger.verify()).differencesTotal).toBe(1);
  });

  test('is put off by nobody for more than an hour, and was sent when the database says', async () => {
    ledger = await openChainedBook();
    await ledger.tick();
    const outbox = headOutbox(ledger.app);
    for (let hour = 0; hour < 12; hour += 1) {
      await ledger.moveTo(hour * 3_700_000);
      expect(await outbox.claim('chat'), `hour ${hour}`).not.toBeNull();
    }
    const { rows: times } = await ledger.owner.query(
      `select proname from pg_proc where proname like 'ledger_day%' and 'timestamptz'::regtype = any (proargtypes)`,
    );
    expect(times).toEqual([]);
  });
});

test('a book whose first day is not over has no difference', async () => {
  ledger = await openChainedBook();
  await ledger.post(5);
  await ledger.moveTo(61_000);
  await ledger.tick();
  expect(await blocksOf(ledger)).toEqual([5]);
  expect(await daysOf(ledger)).toEqual([]);
  expect((await ledger.verify()).differences).toEqual([]);
});

test('a block, a head and a day are never changed, by the owner of the database either', async () => {
  ledger = await openChainedBook();
  await ledger.post(5);
  await ledger.moveTo(DAY_MS);
  await ledger.tick();
  for (const sql of [
    'update ledger_block set closed_at = closed_at',
    'delete from ledger_block',
    'truncate ledger_block',
    'delete from ledger_head',
    'truncate ledger_head',
    `update ledger_day set jws = 'x'`,
    'delete from ledger_day',
    'truncate ledger_day cascade',
  ])
    await expect(ledger.owner.query(sql), sql).rejects.toMatchObject({ code: 'NB009' });
  await ledger.owner.query('update ledger_day set chat_sent_at = navbat_now()');
  await expect(ledger.owner.query('update ledger_day set chat_sent_at = null')).rejects.toMatchObject({
    code: 'NB009',
  });
});

test('a closing skips nothing that a slow poster commits late', async () => {
  ledger = await openChainedBook();
  await ledger.post(3);
  await inTransaction(ledger.owner, async (slow) => {
    await slow.query(
      `select from ledger_post($1, '{slow}', '{earn}', array[$2::bigint], array[$3::bigint], '{5}', '{null}', '{2026-11-29}', '{test}')`,
      [ledger.book, ledger.earnings, ledger.people[0]?.available],
    );
    await ledger.deps.chain.close(ledger.book, true);
    expect(await blocksOf(ledger)).toEqual([3]);
  });
  await ledger.deps.chain.close(ledger.book, true);
  expect(await blocksOf(ledger)).toEqual([3, 4]);
  expect((await ledger.verify()).differences).toEqual([]);
});
