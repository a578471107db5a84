import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ceilingOf } from '../../../../apps/http/answer.ts';
import { openTestBook } from './book.ts';
import type { Item, Posted } from './posting.ts';

/** As many posters as the largest of these tests has; each keeps its connection. */
const POSTERS = 64;

let book: Awaited<ReturnType<typeof openTestBook>>;
let posters: pg.Pool;
beforeAll(async () => {
  book = await openTestBook();
  posters = new pg.Pool({ connectionString: book.ownerUrl, max: POSTERS });
});
afterAll(async () => {
  await posters.end();
  await book.close();
});

const hold = (debit: string, credit: string, amount: bigint, key: string = randomUUID()): Item => ({
  key,
  kind: 'hold',
  debit,
  credit,
  amount,
});
/** As a client does: who is told that the book was held for too long asks again, under the same keys. */
async function post(items: readonly Item[]): Promise<readonly Posted[]> {
  for (;;)
    try {
      return await book.on(posters).post(items);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== '55P03') throw error;
    }
}
const countsOf = (answers: readonly (readonly Posted[])[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { state } of answers.flat()) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
};

/** Backends of this database that wait for a lock. */
async function waitersOfBook(): Promise<number> {
  const { rows } = await book.owner.query<{ waiters: number }>(
    `select count(*)::int waiters from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()`,
  );
  return rows[0]?.waiters ?? 0;
}

/** Of the whole book: the numbers without a gap, and the sum of all balances. */
async function wholeBook() {
  const { rows } = await book.pool.query<{ gaps: string; sum: string; unequal: string }>(
    `select (select next_n - 1 from ledger_book where project_id = $1)
              - (select count(*) from ledger_transfer where project_id = $1 and n > 0) as gaps,
            (select sum(balance) from ledger_account where project_id = $1) as sum,
            (select count(*) from ledger_account a where project_id = $1
              and balance <> (select coalesce(sum(amount), 0) from ledger_entry e where e.account = a.id)) as unequal`,
    [book.projectId],
  );
  return rows[0];
}
const whole = { gaps: '0', sum: '0', unequal: '0' };

// Design §1.9.
test('of 50 withdrawals of the whole balance at once one is posted, and 49 are refused', async () => {
  const { available, held } = await book.person(1_000n);
  const answers = await Promise.all(Array.from({ length: 50 }, () => post([hold(available, held, 1_000n)])));
  expect(countsOf(answers)).toEqual({ posted: 1, NB001: 49 });
  expect([await book.balance(available), await book.balance(held)]).toEqual([0n, 1_000n]);
  expect(await wholeBook()).toEqual(whole);
});

// Design §1.10.
test('a refusal for funds burns its key: the money is there later, and the same key is refused again', async () => {
  const { id, available, held } = await book.person(0n);
  const item = { ...hold(available, held, 5n), subject: id };
  expect(await book.post([item])).toEqual([{ n: null, state: 'NB001' }]);
  const earn = { kind: 'earn', debit: await book.open('earnings'), credit: available, amount: 9n };
  expect(await book.post([{ key: randomUUID(), ...earn }, item])).toMatchObject([
    { state: 'posted' },
    { n: null, state: 'NB001' },
  ]);
  expect(await book.post([item])).toEqual([{ n: null, state: 'NB001' }]);
  expect(await book.post([{ ...item, amount: 4n }])).toEqual([{ n: null, state: 'NB002' }]);
  const refused: unknown = await book.postAll([item]).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'NB001', detail: '1' });
  // A route answers it as money, not as too many people.
  expect(ceilingOf(refused)).toBeNull();
  expect([await book.balance(available), await book.balance(held)]).toEqual([9n, 0n]);
  expect(await book.post([hold(available, held, 5n)])).toMatchObject([{ state: 'posted' }]);
});

// Design §1.11.
test('64 posters over the same accounts in opposite orders: none waits for another for ever, and every answer is full', async () => {
  const people = await Promise.all(Array.from({ length: 8 }, () => book.person(100n)));
  const there = people.flatMap(({ available, held }) => [
    { kind: 'hold', debit: available, credit: held },
    { kind: 'release', debit: held, credit: available },
  ]);
  const back = there.toReversed().map(({ kind, debit, credit }) => ({
    kind: kind === 'hold' ? 'release' : 'hold',
    debit: credit,
    credit: debit,
  }));
  const rounds = 4;
  const answers = await Promise.all(
    Array.from({ length: POSTERS }, async (_, poster) => {
      const mine: (readonly Posted[])[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const items = (poster % 2 === 0 ? there : back).map((sides) => ({
          key: randomUUID(),
          amount: 1n,
          ...sides,
        }));
        mine.push(await post(items));
      }
      return mine;
    }),
  );
  expect(answers.flat().map((each) => each.length)).toEqual(
    Array.from({ length: POSTERS * rounds }, () => there.length),
  );
  const all = answers.flat(2);
  expect(new Set(all.map(({ state }) => state))).toEqual(new Set(['posted']));
  expect(new Set(all.map(({ n }) => n)).size).toBe(all.length);
  expect(await wholeBook()).toEqual(whole);
});

test('the same key 100 times at once is one transfer, and 100 equal answers', async () => {
  const { available, held } = await book.person(1_000n);
  const item = hold(available, held, 1n);
  const answers = await Promise.all(Array.from({ length: 100 }, () => post([item])));
  expect(countsOf(answers)).toEqual({ posted: 1, repeated: 99 });
  expect(new Set(answers.flat().map(({ n }) => n)).size).toBe(1);
  expect(await book.balance(held)).toBe(1n);
});

test('the same key with other amounts at once is one transfer, and every other one is refused', async () => {
  const { available, held } = await book.person(1_000n);
  const key = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => post([hold(available, held, BigInt(i + 1), key)])),
  );
  expect(countsOf(answers)).toEqual({ posted: 1, NB002: 19 });
});

describe('while a slow poster holds the book', () => {
  // Design §1.12.
  test('who reads on from the last number that it saw skips nothing', async () => {
    const { available, held } = await book.person(1_000n);
    const seen: bigint[] = [];
    const readOn = async () => {
      const { rows } = await book.pool.query<{ n: string }>(
        'select n from ledger_transfer where project_id = $1 and n > $2 order by n',
        [book.projectId, (seen.at(-1) ?? 0n).toString()],
      );
      seen.push(...rows.map(({ n }) => BigInt(n)));
    };
    await readOn();
    for (const end of ['commit', 'rollback']) {
      const slow = await posters.connect();
      await slow.query('begin');
      await book.on(slow).post([hold(available, held, 1n), hold(available, held, 1n)]);
      const others = Array.from({ length: 10 }, () => post([hold(available, held, 1n)]));
      await readOn();
      await slow.query(end);
      slow.release();
      for (const other of others) {
        expect(await other).toMatchObject([{ state: 'posted' }]);
        await readOn();
      }
    }
    await readOn();
    expect(seen).toEqual(seen.map((_, i) => BigInt(i + 1)));
    expect(await book.balance(held)).toBe(22n);
    expect(await wholeBook()).toEqual(whole);
  });

  test('who waits for it reads keys and balances after the wait', async () => {
    const { available, held } = await book.person(1_000n);
    const key = randomUUID();
    const slow = await posters.connect();
    try {
      await slow.query('begin');
      await book.on(slow).post([hold(available, held, 1_000n, key)]);
      const waiting = [post([hold(available, held, 1_000n)]), post([hold(available, held, 1_000n, key)])];
      await expect.poll(waitersOfBook).toBe(waiting.length);
      await slow.query('commit');
      expect(await Promise.all(waiting)).toMatchObject([[{ state: 'NB001' }], [{ state: 'repeated' }]]);
    } finally {
      slow.release(true);
    }
    expect([await book.balance(available), await book.balance(held)]).toEqual([0n, 1_000n]);
  });

  test('two posts of one transaction wait for nobody whom they hold up', async () => {
    const [one, other] = [await book.person(100n), await book.person(100n)];
    const twice = async (first: typeof one, second: typeof one) => {
      const client = await posters.connect();
      try {
        await client.query('begin');
        for (const { available, held } of [first, second])
          await book.on(client).post([hold(available, held, 1n)]);
        await client.query('commit');
      } finally {
        // One that failed would hold the book.
        client.release(true);
      }
    };
    await Promise.all(
      Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? twice(one, other) : twice(other, one))),
    );
    expect([await book.balance(one.held), await book.balance(other.held)]).toEqual([32n, 32n]);
  });

  test('who waits too long is told that the book is held, and has posted nothing', async () => {
    const { available, held } = await book.person(10n);
    const slow = await book.owner.connect();
    await slow.query('begin');
    await slow.query('select from ledger_book where project_id = $1 for update', [book.projectId]);
    await expect(book.post([hold(available, held, 1n)])).rejects.toMatchObject({ code: '55P03' });
    await slow.query('rollback');
    slow.release();
    expect(await book.balance(held)).toBe(0n);
  });
});
