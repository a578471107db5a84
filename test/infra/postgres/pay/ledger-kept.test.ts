import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
    '4222222222222',
    '6304000000000000000',
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
    // Its digits in a row are those of the first card above.
    'hold:a4242424-2424-2424-2abc-abcdefabcdef',
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

test('1 000 transfers are one call, and 1 001 are none', async () => {
  const many = Array.from({ length: 1_001 }, () => hold(1n));
  await expect(book.post(many)).rejects.toMatchObject({ code: 'NB004' });
  const { available, held } = await book.person(1_000n);
  const posted = await book.post(many.slice(1).map((item) => ({ ...item, debit: available, credit: held })));
  expect(new Set(posted.map(({ state }) => state))).toEqual(new Set(['posted']));
});

test('lists of other lengths, with gaps, or without a time, are no list of transfers', async () => {
  const call = (keys: readonly (string | null)[], actors = ['test'], eventAt = '2026-11-29T10:00:00Z') =>
    book.pool.query('select from ledger_post($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
      book.projectId,
      keys,
      keys.map(() => 'hold'),
      keys.map(() => person.available),
      keys.map(() => person.held),
      keys.map(() => '1'),
      keys.map(() => null),
      keys.map(() => eventAt),
      actors,
    ]);
  await expect(call(['one'])).resolves.toMatchObject({ rowCount: 1 });
  await expect(call(['two', 'three'])).rejects.toMatchObject({ code: 'NB004' });
  await expect(call([null])).rejects.toMatchObject({ code: 'NB004' });
  await expect(call(['never'], ['test'], 'infinity')).rejects.toMatchObject({ code: 'NB004' });
});

describe('accounts', () => {
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
  const inSession = async <T>(work: (client: pg.Client) => Promise<T>, url = book.url): Promise<T> => {
    const client = new pg.Client({ connectionString: url });
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
    }, book.ownerUrl);
  });

  test('that looks at an older snapshot is refused, or posts what is right', async () => {
    await inSession(async (client) => {
      await client.query('begin isolation level repeatable read');
      await client.query('select from ledger_book');
      await book.post([hold()]);
      await expect(book.on(client).post([hold()])).rejects.toMatchObject({ code: '40001' });
      await client.query('rollback');
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
