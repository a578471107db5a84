import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { freshDatabase } from '../support/servers.ts';
import { describe as describeStatement } from './sql/describe.ts';
import { statementsOfTree, textsOfSource, textsOfTree } from './sql/statements.ts';

const { statements, unread } = statementsOfTree();

/** A client of a migrated database that was changed so: as every process has it. */
async function changedDatabase(change = ''): Promise<pg.Client> {
  const database = await freshDatabase();
  const [client, owner] = [database.url, database.ownerUrl].map(
    (connectionString) => new pg.Client({ connectionString }),
  ) as [pg.Client, pg.Client];
  await Promise.all([client.connect(), owner.connect()]);
  onTestFinished(async () => {
    await Promise.all([client.end(), owner.end()]);
    await database.drop();
  });
  await owner.query(change);
  return client;
}

/** Where a statement can't be prepared, or doesn't return what its row type says. */
async function faultsAfter(change = ''): Promise<string[]> {
  const client = await changedDatabase(change);
  const faults: string[] = [];
  for (const { at, text, columns } of statements) {
    const told = await describeStatement(client, text);
    if (told.fault !== null) faults.push(`${at}: ${told.fault}`);
    else
      for (const [name, kind] of columns ?? []) {
        const is = told.columns.get(name);
        if (is === undefined) faults.push(`${at}: returns no ${name}`);
        else if (is !== 'any' && kind !== 'any' && is !== kind)
          faults.push(`${at}: ${name} is ${is}, not ${kind}`);
      }
  }
  return faults;
}

test('every statement is one that the migrated schema takes, and returns what its row type says', async () => {
  expect(await faultsAfter()).toEqual([]);
});

/** Where a statement may not run as the role of every process: `explain` checks what it touches, and runs nothing. */
async function refusedAfter(change = ''): Promise<string[]> {
  const client = await changedDatabase(change);
  const refused: string[] = [];
  for (const { at, text } of statements) {
    const failed = await client.query(`explain (generic_plan) ${text}`).catch((error: unknown) => error);
    // Without its parameters' types some can't be planned; that they can be prepared is shown above.
    if (failed instanceof pg.DatabaseError && failed.code === '42501')
      refused.push(`${at}: ${failed.message}`);
  }
  return refused;
}

test('every statement is one that navbat_app may run', async () => {
  expect(await refusedAfter()).toEqual([]);
});

/** Rows that are numbered by Postgres, and navbat_app may choose the number of. */
async function chosenAfter(change = ''): Promise<string[]> {
  const client = await changedDatabase(change);
  const { rows } = await client.query<{ name: string; may: boolean }>(
    `select format('%s.%s', c.relname, a.attname) name, has_column_privilege(c.oid, a.attnum, 'insert, update') may
       from pg_attribute a join pg_class c on c.oid = a.attrelid
       left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not a.attisdropped
        and (a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) like 'nextval(%')
      order by 1`,
  );
  expect(rows.map(({ name }) => name)).toContain('audit.id');
  return rows.filter(({ may }) => may).map(({ name }) => name);
}

// Whoever chooses numbers takes those of the rows that come next, or stands before all of them for ever.
test('no list of grants lets navbat_app choose a number that Postgres gives', async () => {
  expect(await chosenAfter()).toEqual([]);
  expect(await chosenAfter('grant insert on audit to navbat_app')).toEqual(['audit.id']);
});

test('a grant that is missing is told by the statements that need it', async () => {
  const refused = await refusedAfter(
    'revoke update (run_at) on job from navbat_app; revoke insert on audit from navbat_app',
  );
  expect(refused).toContainEqual(
    expect.stringMatching(/staff\/audit\.ts.*permission denied for table audit/),
  );
  expect(refused).toContainEqual(expect.stringMatching(/permission denied for table job/));
});

test('a column that was renamed, and one of another type, are told by the statements that read them', async () => {
  const renamed = await faultsAfter('alter table job rename column run_at to due_at');
  expect(renamed).toContainEqual(expect.stringMatching(/otp-jobs\.ts.*run_at.* does not exist/));
  const retyped = await faultsAfter('alter table job alter column attempts type bigint');
  expect(retyped).toContainEqual(expect.stringMatching(/attempts is string, not number/));
});

const clock =
  /(?<!navbat_)\bnow\(\)|\b(clock|statement|transaction)_timestamp\(|\b(current_|local)(timestamp|date|time)\b/i;

test('a reading of the clock is found in a fragment of SQL too', () => {
  const texts = (code: string) => textsOfSource('planted.ts', code).filter((text) => clock.test(text));
  expect(texts('const a = (x: string) => `and run_at < ${x} + now()`;')).toHaveLength(1);
  expect(texts("const a = { cancel: 'closed_at = clock_timestamp()' };")).toHaveLength(1);
  expect(texts('const a = `${b(`current_timestamp`)}`; const at = now(); // now()')).toHaveLength(1);
  expect(texts('const a = `select navbat_now(), ${now()}`;')).toEqual([]);
});

test('SQL that runs asks navbat_now() for the time, and never now()', async () => {
  // Every text, not only what is known to be a statement: fragments are joined at run time. The real time, of which `navbat_now()` is made.
  expect(textsOfTree().filter(({ text }) => clock.test(text))).toEqual([
    { path: 'infra/postgres/engine/clock.ts', text: 'select now()' },
  ]);
  const client = await changedDatabase();
  const { rows } = await client.query<{ proname: string; prosrc: string }>(
    `select proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace order by 1`,
  );
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter(({ prosrc }) => clock.test(prosrc)).map(({ proname }) => proname)).toEqual([
    // navbat_now() at this moment, not at the start of the transaction.
    'ledger_clock',
    'navbat_now',
    'staff_proof_clock',
  ]);
});

// A reader that had lost its way would find no fault in anything.
test('the reader finds the statements, and the row types of most that return something', () => {
  expect(statements.length).toBeGreaterThan(300);
  expect(statements.filter(({ columns }) => (columns?.size ?? 0) > 0).length).toBeGreaterThan(90);
});

/** Texts that are put together at run time, by file: what a kind, a filter or a place brings. The tests of each run them. */
const composed = {
  'infra/postgres/engine/clock.ts': 1,
  'infra/postgres/engine/grants.ts': 1,
  'infra/postgres/engine/retention.ts': 2,
  'infra/postgres/identity/person/persons.ts': 1,
  'infra/postgres/identity/session/session-ends.ts': 1,
  'infra/postgres/identity/session/sessions.ts': 1,
  'infra/postgres/job/attempts.ts': 2,
  'infra/postgres/job/reconciler.ts': 1,
  'infra/postgres/job/scheduler.ts': 1,
  'infra/postgres/job/single.ts': 1,
  'infra/postgres/message/broadcast/broadcasts.ts': 1,
  'infra/postgres/telegram/chats.ts': 1,
  'infra/postgres/message/telegram/pass-over.ts': 1,
  'infra/postgres/project/names.ts': 1,
  'infra/postgres/staff/ops-commands.ts': 7,
  'infra/postgres/staff/ops-queries.ts': 4,
  'infra/postgres/staff/secret/reencrypt.ts': 3,
  'infra/postgres/verify/intake-sql.ts': 1,
  'infra/postgres/verify/stranger-facts.ts': 1,
  'infra/postgres/webhook/log.ts': 2,
  'infra/postgres/webhook/replays.ts': 2,
};

test('no more statements than these are put together at run time', () => {
  const counts: Record<string, number> = {};
  for (const path of unread) counts[path] = (counts[path] ?? 0) + 1;
  expect(counts).toEqual(composed);
});
