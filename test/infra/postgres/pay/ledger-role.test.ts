import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestBook } from './book.ts';

/** What the role that runs (`navbat_app`) may not do to the money: everything but to read, and to call the functions. */
const tables = [
  'difference',
  'ledger_account',
  'ledger_block',
  'ledger_book',
  'ledger_class',
  'ledger_day',
  'ledger_head',
  'ledger_move',
  'ledger_refusal',
  'ledger_transfer',
  'payout',
  'payout_action',
  'payout_batch',
  'payout_binding',
  'payout_block',
  'payout_dispatch',
  'payout_handler',
  'money_correction',
  'payout_item',
  'payout_key_day',
  'payout_link_sms_day',
  'payout_list',
  'payout_list_import',
  'payout_notice',
  'payout_person_binding',
  'rail',
  'rail_call',
  'statement',
  'statement_line',
];
/** Postgres: the role has no such privilege, or does not own it. */
const REFUSED = '42501';

let book: Awaited<ReturnType<typeof openTestBook>>;
let app: pg.Client;
let person: Awaited<ReturnType<typeof book.person>>;
beforeAll(async () => {
  book = await openTestBook();
  app = new pg.Client({ connectionString: book.url });
  await app.connect();
  person = await book.person(100n);
  await book.post([
    { key: 'hold', kind: 'hold', debit: person.available, credit: person.held, amount: 10n },
    { key: 'refused', kind: 'hold', debit: person.available, credit: person.held, amount: 1_000n },
  ]);
});
afterAll(async () => {
  await app.end();
  await book.close();
});

/** It adds requests, encrypts tokens and files anew, and ends links with their jobs; which heads are sent when, a function notes. */
const others = ['bank_file', 'ledger_day_sending', 'money_request', 'payout_destination', 'payout_link'];

test('it is the role that runs, and money has no tables but these and those that change', async () => {
  const { rows } = await app.query<{ role: string; names: string[] }>(
    `select current_user::text as role, array_agg(relname::text order by relname) as names from pg_class
     where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and relname ~ '^(ledger|payout|money|rail|statement|difference|bank_file)(_|$)'`,
  );
  expect(rows).toEqual([{ role: 'navbat_app', names: [...others, ...tables].toSorted() }]);
});

test.each([
  ['payout_destination', ['token_encrypted']],
  ['bank_file', ['content_encrypted']],
  ['payout_link', ['token_encrypted', 'channel', 'sent_at', 'failed_at']],
] as const)('of %s nothing changes but %j', async (table, changing) => {
  const refused = { code: REFUSED };
  for (const column of (await columnsOf(table)).filter((each) => !changing.some((one) => one === each)))
    await expect(app.query(`update ${table} set ${column} = ${column}`), column).rejects.toMatchObject(
      refused,
    );
  await expect(app.query(`insert into ${table} default values`)).rejects.toMatchObject(refused);
  for (const column of changing)
    await expect(app.query(`update ${table} set ${column} = ${column}`)).resolves.toBeDefined();
});

/** Each column by its own value, so that a grant on any of them would be found. */
async function columnsOf(table: string): Promise<readonly string[]> {
  const { rows } = await app.query<{ name: string }>(
    `select attname::text as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''`,
    [table],
  );
  return rows.map(({ name }) => name);
}

test.each(others)('%s, too, is neither changed, emptied, altered, owned nor dropped', async (table) => {
  const [first = ''] = await columnsOf(table);
  for (const sql of [
    `update ${table} set ${first} = ${first}`,
    `delete from ${table}`,
    `truncate ${table}`,
    `alter table ${table} disable trigger all`,
    `alter table ${table} owner to navbat_app`,
    `drop table ${table} cascade`,
  ])
    await expect(app.query(sql), sql).rejects.toMatchObject({ code: REFUSED });
});

describe.each(tables)('%s', (table) => {
  test('is read', async () => {
    await expect(app.query(`select * from ${table}`)).resolves.toBeDefined();
  });

  test('is not changed in any column, nor locked', async () => {
    const columns = await columnsOf(table);
    expect(columns.length).toBeGreaterThan(2);
    for (const column of columns) {
      await expect(app.query(`update ${table} set ${column} = ${column}`), column).rejects.toMatchObject({
        code: REFUSED,
      });
      await expect(app.query(`insert into ${table} (${column}) values (null)`), column).rejects.toMatchObject(
        {
          code: REFUSED,
        },
      );
    }
    await expect(app.query(`select from ${table} for update`)).rejects.toMatchObject({ code: REFUSED });
    await expect(
      app.query(`do $$ begin execute 'lock table ${table} in exclusive mode'; end $$`),
    ).rejects.toMatchObject({ code: REFUSED });
  });

  test.each([
    ['added to', `insert into ${table} default values`],
    ['taken from', `delete from ${table}`],
    ['emptied', `truncate ${table}`],
    ['emptied with what points at it', `truncate ${table} cascade`],
    ['altered', `alter table ${table} add column note text`],
    ['rid of its triggers', `alter table ${table} disable trigger all`],
    [
      'given a trigger',
      `create trigger mine before insert on ${table} for each row execute function suppress_redundant_updates_trigger()`,
    ],
    ['given a rule', `create rule mine as on insert to ${table} do instead nothing`],
    ['owned', `alter table ${table} owner to navbat_app`],
    ['dropped', `drop table ${table} cascade`],
  ])('is not %s', async (_what, sql) => {
    const before = await countsOf();
    await expect(app.query(sql)).rejects.toMatchObject({ code: REFUSED });
    expect(await countsOf()).toEqual(before);
  });

  test('is not granted: who has no right to it gives none', async () => {
    // A warning to Postgres, and no error.
    await app.query(`grant all on ${table} to navbat_app`);
    const { rows } = await app.query<{ may: boolean; count: number }>(
      `select has_any_column_privilege($1, 'insert, update, references') or has_table_privilege($1, 'delete, truncate, trigger') as may,
              (select count(*)::int from pg_trigger where tgrelid = $1::regclass and tgenabled <> 'O') as count`,
      [table],
    );
    expect(rows).toEqual([{ may: false, count: 0 }]);
  });
});

async function countsOf() {
  const { rows } = await app.query(
    `select (select count(*) from ledger_transfer) as transfers, (select count(*) from ledger_refusal) as refusals,
            (select sum(balance) from ledger_account where balance > 0) as sum, (select count(*) from ledger_move) as moves,
            (select count(*) from pg_attribute where attrelid = any (array(select oid from pg_class where relname ~ '^(ledger|payout)(_|$)'))) as columns`,
  );
  return rows[0];
}

test.each([
  'set role navbat_owner',
  'set session authorization navbat_owner',
  'set session_replication_role = replica',
  "select set_config('session_replication_role', 'replica', false)",
  'create function mine() returns int language sql as $$ select 1 $$',
  'create table mine (id int)',
  'create temp table ledger_transfer (id int)',
  'create schema mine',
  'drop function ledger_post(uuid, text[], text[], bigint[], bigint[], bigint[], uuid[], timestamptz[], text[])',
  'alter function ledger_post_all(uuid, text[], text[], bigint[], bigint[], bigint[], uuid[], timestamptz[], text[]) security invoker',
  'alter function ledger_post(uuid, text[], text[], bigint[], bigint[], bigint[], uuid[], timestamptz[], text[]) set search_path = pg_temp',
  'create or replace function ledger_clock() returns timestamptz language sql as $$ select now() $$',
  'create or replace function navbat_now() returns timestamptz language sql as $$ select now() $$',
  'create or replace view ledger_entry as select 1 as project_id',
  'alter domain money_text drop constraint money_text_check',
  'alter role navbat_app superuser',
])('is refused: %s', async (sql) => {
  await expect(app.query(sql)).rejects.toMatchObject({ code: REFUSED });
});

test.each(['post', 'postAll'] as const)(
  'it posts nothing by itself (%s): no top-up, no correction, and no hold of a person',
  async (call) => {
    const [bank, funded] = [await book.open('bank'), await book.open('funded', randomUUID())];
    const before = await book.transfers();
    for (const item of [
      { kind: 'top-up', debit: bank, credit: funded },
      { kind: 'adjust', debit: await book.open('adjustment'), credit: person.available },
      { kind: 'hold', debit: person.available, credit: person.held },
    ])
      await expect(
        book.on(app)[call]([{ key: randomUUID(), amount: 1n, ...item }]),
        item.kind,
      ).rejects.toMatchObject({ code: REFUSED });
    expect(await book.transfers()).toBe(before);
  },
);

test('it calls nothing of what its functions are made of', async () => {
  await expect(book.on(app).open('bank')).rejects.toMatchObject({ code: REFUSED });
  await expect(app.query('select ledger_clock()')).rejects.toMatchObject({ code: REFUSED });
});
