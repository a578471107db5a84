import { afterEach, describe, expect, test } from 'vitest';
import { dayAfter, tashkentDay } from '../../../../domain/pay/ledger/head.ts';
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
    expect(await chain.write(ledger.book, today, 'x')).toBe(false);
    await chain.close(ledger.book, true);
    expect(await chain.endDay(ledger.book, today)).toMatchObject({ k: '2', n_to: '6' });
    expect(await chain.write(ledger.book, today, 'x')).toBe(true);
    expect(await chain.write(ledger.book, today, 'y')).toBe(false);
    await ledger.moveTo(3 * DAY_MS);
    expect(await chain.write(ledger.book, dayAfter(today, 2), 'x')).toBe(false);
    expect(await ledger.jwsOf()).toBe('x');
  });
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
