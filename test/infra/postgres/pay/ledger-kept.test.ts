import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountClasses, transferKinds } from '../../../../domain/pay/ledger/accounts.ts';
import { moveClock } from '../../../../infra/postgres/engine/clock.ts';
import { openTestBook } from './book.ts';

let book: Awaited<ReturnType<typeof openTestBook>>;
/** Owns the tables: what holds it holds everybody. */
let owner: pg.Client;
let person: Awaited<ReturnType<typeof book.person>>;
beforeAll(async () => {
  book = await openTestBook();
  owner = new pg.Client({ connectionString: book.ownerUrl });
  await owner.connect();
  person = await book.person(1_000n);
  await book.post([
    { key: 'refused', kind: 'hold', debit: person.available, credit: person.held, amount: 2_000n },
  ]);
});
afterAll(async () => {
  await owner.end();
  await book.close();
});

const hold = (amount = 1n, key: string = randomUUID()) => ({
  key,
  kind: 'hold',
  debit: person.available,
  credit: person.held,
  amount,
});

test.each([
  'update ledger_transfer set amount = amount + 1',
  'update ledger_transfer set actor = actor where false',
  'delete from ledger_transfer',
  'truncate ledger_transfer',
  'update ledger_refusal set amount = 1',
  'delete from ledger_refusal',
  'truncate ledger_refusal',
  'update ledger_move set same_owner = false',
  'delete from ledger_move',
  'update ledger_class set floor = null',
  'delete from ledger_class where false',
  'delete from ledger_account',
  'update ledger_account set floor = null',
  'update ledger_account set owner = null, rail = null',
  'truncate ledger_account cascade',
  'delete from ledger_book',
  "update ledger_book set currency = 'USD'",
  'truncate ledger_book cascade',
])('the owner of the tables is refused too: %s', async (sql) => {
  await expect(owner.query(sql)).rejects.toMatchObject({ code: 'NB009' });
});

test.each([
  ['the floor of an account', 'update ledger_account set balance = -1 where id = $1'],
  ['the ceiling of the arithmetic', 'update ledger_account set balance = 4000000000000000001 where id = $1'],
])('%s is held by the table, whoever writes', async (_what, sql) => {
  await expect(owner.query(sql, [person.available])).rejects.toMatchObject({ code: '23514' });
});

describe('a text that may be a card number', () => {
  // The numbers that networks give for tests, and one that Luhn's own patent made up; none is anybody's.
  const cards = [
    '4242424242424242',
    '4242-4242-4242-4242',
    '378282246310005',
    '4000000000000000006',
    '8600000000000007',
    '9860000000000000',
    '2200000000000004',
    '6200000000000000000',
    '4111:1111:1111:1111',
    '4111--1111--1111--1111',
    '4111,1111,1111,1111',
    '1:4111/1111.1111-1111:2',
    '41111111-1111-1111-0000-000000000000',
    '41111111-1111-1111-8000-000000000000',
    '00000000-4111-1111-1111-111100000000',
    '4111111111111111-1111-4111-8111-111111111111',
  ];

  test.each(cards)('%s is refused as a key and as an actor, and nothing is posted', async (card) => {
    const before = await book.transfers();
    await expect(book.post([hold(1n, `pay:${card}`), hold()])).rejects.toMatchObject({ code: 'NB004' });
    await expect(book.post([hold()], card)).rejects.toMatchObject({ code: 'NB004' });
    await expect(book.post([hold(9_000n, `x${card}x`)])).rejects.toMatchObject({ code: 'NB004' });
    expect(await book.transfers()).toBe(before);
  });

  test.each([
    '4242424242424241',
    '424242424242',
    '42424242424242424242',
    '94111111111111111',
    // Luhn's check passes, and no issuer gives such numbers.
    '1764410400000001',
    '4222222222222',
    // The digits in a row of this id of ours are those of the first card above.
    'hold:42424242-4242-4242-8abc-abcdefabcdef:1',
    '2026-11-29:1764410400000',
  ])('%s is none', async (text) => {
    expect(await book.post([hold(1n, text)])).toMatchObject([{ state: 'posted' }]);
  });

  test('is refused as a rail, and so is what no rail is called', async () => {
    for (const rail of ['a4242424242424242', 'Rail', 'a b', ''])
      await expect(book.open('clearing', null, rail)).rejects.toMatchObject({ code: '23514' });
  });
});

test('every text column of the ledger refuses a card number, or is a closed list', async () => {
  const { rows } = await owner.query<{ at: string }>(
    `select table_name || '.' || column_name as at from information_schema.columns
     where table_schema = 'public' and table_name in ('ledger_book', 'ledger_account', 'ledger_transfer', 'ledger_refusal')
       and data_type = 'text' and domain_name is distinct from 'money_text' order by 1`,
  );
  // Letters and hyphens alone; and 'NB001'.
  expect(rows.map(({ at }) => at)).toEqual([
    'ledger_refusal.kind',
    'ledger_refusal.reason',
    'ledger_transfer.kind',
  ]);
});

test.each([
  ['an amount of nothing', { amount: 0n }],
  ['an amount below nothing', { amount: -1n }],
  ['an amount above 10^18', { amount: 10n ** 18n + 1n }],
  ['both sides on one account', { credit: 'debit' }],
  ['a key without signs', { key: '' }],
  ['a key with a space', { key: 'a b' }],
  ['a key with a sign that is none of ASCII', { key: 'қ' }],
  ['a key of 201 signs', { key: 'k'.repeat(201) }],
])('%s is no transfer, and what is posted with it is not either', async (_what, wrong) => {
  const item = { ...hold(), ...wrong };
  const bad = item.credit === 'debit' ? { ...item, credit: item.debit } : item;
  const before = await book.transfers();
  await expect(book.post([hold(), bad])).rejects.toMatchObject({ code: 'NB004' });
  expect(await book.transfers()).toBe(before);
});

const postAt = (eventAt: unknown) =>
  owner.query(`select from ledger_post($1, $2, '{hold}', $3, $4, '{1}', '{null}', $5, '{test}')`, [
    book.projectId,
    [randomUUID()],
    [person.available],
    [person.held],
    [eventAt],
  ]);

test('1 000 transfers are one call, and 1 001 are none', async () => {
  const many = Array.from({ length: 1_001 }, () => hold(1n));
  await expect(book.post(many)).rejects.toMatchObject({ code: 'NB004' });
  const { available, held } = await book.person(1_000n);
  const posted = await book.post(many.slice(1).map((item) => ({ ...item, debit: available, credit: held })));
  expect(new Set(posted.map(({ state }) => state))).toEqual(new Set(['posted']));
});

test('lists of other lengths, or with gaps, are no list of transfers', async () => {
  const call = (keys: readonly (string | null)[], actors = ['test']) =>
    owner.query('select from ledger_post($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
      book.projectId,
      keys,
      keys.map(() => 'hold'),
      keys.map(() => person.available),
      keys.map(() => person.held),
      keys.map(() => '1'),
      keys.map(() => null),
      keys.map(() => '2026-11-29T10:00:00Z'),
      actors,
    ]);
  await expect(call(['one'])).resolves.toMatchObject({ rowCount: 1 });
  await expect(call(['two', 'three'])).rejects.toMatchObject({ code: 'NB004' });
  await expect(call([null])).rejects.toMatchObject({ code: 'NB004' });
});

test.each(['infinity', '-infinity', '0044-03-15 BC', '1999-12-31T23:59:59Z', '294276-01-01', 'P25H'])(
  'what is said to have happened at %s is no transfer',
  async (eventAt) => {
    const { rows } = await owner.query<{ at: string }>(
      `select case when $1 = 'P25H' then (now() + interval '25 hours')::text else $1 end as at`,
      [eventAt],
    );
    await expect(postAt(rows[0]?.at)).rejects.toMatchObject({ code: 'NB004' });
  },
);

test('what happened in 2000, or by a clock that is hours ahead, is one', async () => {
  await expect(postAt('2000-01-01T00:00:00Z')).resolves.toMatchObject({ rowCount: 1 });
  await expect(postAt(new Date(Date.now() + 23 * 3_600_000).toISOString())).resolves.toMatchObject({
    rowCount: 1,
  });
});

describe('accounts', () => {
  test('are of the classes and kinds that the code knows, and of no others', async () => {
    const { rows } = await book.pool.query<{ name: string }>(
      `select owned_by || ' ' || class as name from ledger_class`,
    );
    const known = Object.entries(accountClasses).flatMap(([owned, names]) =>
      names.map((name) => `${owned} ${name}`),
    );
    expect(rows.map(({ name }) => name).toSorted()).toEqual(known.toSorted());
    const kinds = await book.pool.query<{ kind: string }>('select distinct kind from ledger_move');
    expect(kinds.rows.map(({ kind }) => kind).toSorted()).toEqual([...transferKinds].toSorted());
  });

  test('are opened once, whoever asks and however often', async () => {
    const owned = randomUUID();
    const asked = await Promise.all(
      Array.from({ length: 20 }, () =>
        book.owner.query<{ account: string }>(
          'select account from ledger_open($1, $2, $3, $4) order by item',
          [
            book.projectId,
            ['available', 'clearing', 'available', 'fee'],
            [owned, null, owned, null],
            [null, 'a-rail', null, null],
          ],
        ),
      ),
    );
    const ids = asked.map(({ rows }) => rows.map(({ account }) => account));
    expect(new Set(ids.map((each) => each.join(' '))).size).toBe(1);
    expect(new Set(ids[0]).size).toBe(3);
  });

  test('are 1 000 a call at most', async () => {
    const call = (count: number) =>
      owner.query(
        `select from ledger_open($1, array_fill('fee'::text, array[$2::int]), array_fill(null::uuid, array[$2]), array_fill(null::text, array[$2]))`,
        [book.projectId, count],
      );
    expect((await call(1_000)).rowCount).toBe(1_000);
    await expect(call(1_001)).rejects.toMatchObject({ code: 'NB004' });
  });

  test.each([
    ['of a class that there is not', 'savings', null, null],
    ['of a person, without the person', 'available', null, null],
    ['of the book, for a person', 'earnings', randomUUID(), null],
    ['of a rail, without the rail', 'clearing', null, null],
    ['of a person, at a rail', 'available', randomUUID(), 'rail-a'],
  ] as const)('%s are refused', async (_what, cls, owned, rail) => {
    await expect(book.open(cls, owned, rail)).rejects.toMatchObject({ code: 'NB003' });
  });
});

describe('a session with settings of its own', () => {
  const inSession = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: book.ownerUrl });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  test('that turns synchronous_commit off can post nothing, before the post or after it', async () => {
    const before = await book.transfers();
    await inSession(async (client) => {
      await client.query('set synchronous_commit = off');
      await expect(book.on(client).post([hold()])).rejects.toMatchObject({ code: 'NB004' });
      await client.query('set synchronous_commit = on');
      await client.query('begin');
      await book.on(client).post([hold()]);
      await client.query('set local synchronous_commit = off');
      await expect(client.query('commit')).rejects.toMatchObject({ code: 'NB004' });
      await client.query('set synchronous_commit = off');
      await expect(book.on(client).post([hold(9_000n)])).rejects.toMatchObject({ code: 'NB004' });
    });
    expect(await book.transfers()).toBe(before);
  });

  test('that puts tables of its own in front writes the real ones', async () => {
    await inSession(async (client) => {
      await client.query('create temp table ledger_transfer (like public.ledger_transfer)');
      await client.query('set search_path = pg_temp, public');
      const [answer] = await book.on(client).post([hold()]);
      expect(answer?.state).toBe('posted');
      const { rows } = await owner.query('select from ledger_transfer where n = $1 and project_id = $2', [
        answer?.n,
        book.projectId,
      ]);
      expect(rows).toHaveLength(1);
      // navbat_app may make no such table at all.
    });
  });

  test.each(['repeatable read', 'serializable'])(
    'that looks at an older snapshot (%s) is refused: a key that was refused meanwhile would be posted too',
    async (level) => {
      const late = await book.person(0n);
      const item = { key: randomUUID(), kind: 'hold', debit: late.available, credit: late.held, amount: 5n };
      const earn = { key: randomUUID(), kind: 'earn', debit: await book.open('earnings'), amount: 10n };
      await inSession(async (client) => {
        await client.query(`begin isolation level ${level}`);
        await client.query('select from ledger_book');
        expect(await book.post([item])).toMatchObject([{ state: 'NB001' }]);
        const both = book.on(client).post([{ ...earn, credit: late.available }, item]);
        await expect(both).rejects.toMatchObject({ code: 'NB004' });
        await client.query('rollback');
      });
      expect(await book.balance(late.held)).toBe(0n);
    },
  );

  test.each([
    ['ledger_open', `select from ledger_open($1, '{earnings}', '{null}', '{null}')`],
    ['ledger_book_open', 'select ledger_book_open($1)'],
    ['money_request_answer', `select money_request_answer($1, $1, 'key', 200, '{}')`],
    [
      'an insert into money_request',
      `insert into money_request (project_id, person_id, key, body_hash, at) values ($1, $1, 'key', sha256('x'), navbat_now())`,
    ],
  ])('that looks at an older snapshot is refused by %s', async (_what, sql) => {
    await inSession(async (client) => {
      await client.query('begin isolation level repeatable read');
      await expect(client.query(sql, [book.projectId])).rejects.toMatchObject({ code: 'NB004' });
      await client.query('rollback');
    });
  });

  test('that locks the book by a snapshot older than a refusal fails by itself', async () => {
    await inSession(async (client) => {
      await client.query('begin isolation level repeatable read');
      await client.query('select from ledger_book');
      expect(await book.post([hold(9_000n)])).toMatchObject([{ state: 'NB001' }]);
      const locking = client.query('select from ledger_book where project_id = $1 for no key update', [
        book.projectId,
      ]);
      await expect(locking).rejects.toMatchObject({ code: '40001' });
    });
  });
});

test('the time of a transfer is never before that of the one in front, though the clock is set back', async () => {
  const postedAt = async () => {
    const [answer] = await book.post([hold()]);
    const { rows } = await owner.query<{ posted_at: Date }>(
      'select posted_at from ledger_transfer where n = $1 and project_id = $2',
      [answer?.n, book.projectId],
    );
    return rows[0]?.posted_at.getTime() ?? Number.NaN;
  };
  await moveClock(owner, 3_600_000);
  const ahead = await postedAt();
  await moveClock(owner, 0);
  expect(await postedAt()).toBe(ahead);
  expect(ahead).toBeGreaterThan(Date.now() + 3_000_000);
});
