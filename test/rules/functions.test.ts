import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { APP_ROLE } from '../../infra/postgres/engine/grants.ts';
import { freshDatabase } from '../support/servers.ts';
import { inWords, isDynamic, type Need, needsOf } from './sql/function-needs.ts';

interface Row {
  readonly name: string;
  readonly source: string;
  readonly definer: boolean;
  readonly callable: boolean;
  /** Of a table that navbat_app may write: those of others run as the definer of what writes them. */
  readonly isTrigger: boolean;
}

const FUNCTIONS = `
select p.proname::text name, p.prosrc source, p.prosecdef definer, has_function_privilege($1, p.oid, 'execute') callable,
  exists (select from pg_trigger t where t.tgfoid = p.oid and (has_table_privilege($1, t.tgrelid, 'delete')
    or has_any_column_privilege($1, t.tgrelid, 'insert') or has_any_column_privilege($1, t.tgrelid, 'update'))) "isTrigger"
from pg_proc p join pg_language l on l.oid = p.prolang
where p.pronamespace = 'public'::regnamespace and l.lanname in ('sql', 'plpgsql') order by 1`;

const TABLES = `
select relname::text name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')`;

const HAS = `
select case
  when $2 = 'execute' then (select bool_and(has_function_privilege($1, oid, 'execute')) from pg_proc
    where pronamespace = 'public'::regnamespace and proname = $3)
  when $4 = 'all' then has_table_privilege($1, $3, $2)
  when $4 = 'any' then has_any_column_privilege($1, $3, $2)
  else has_column_privilege($1, $3, $4, $2) end has`;

/** What runs as whoever sent the statement: what they may call, triggers, and what those call in turn. */
function asCaller(all: readonly Row[]): readonly Row[] {
  const names = { tables: new Set<string>(), functions: new Set(all.map(({ name }) => name)) };
  const reached = new Set<Row>();
  const reach = (row: Row): void => {
    if (row.definer || reached.has(row)) return;
    reached.add(row);
    const called = new Set(needsOf(row.source, names).map(({ on }) => on));
    for (const each of all) if (called.has(each.name)) reach(each);
  };
  for (const row of all) if (row.callable || row.isTrigger) reach(row);
  return [...reached];
}

/** What navbat_app lacks for the functions of a migrated database that was changed so. */
async function lacksAfter(change = '') {
  const database = await freshDatabase();
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  onTestFinished(async () => {
    await owner.end();
    await database.drop();
  });
  // Which functions run as their caller is read before the change: who may not call one does not reach it.
  const { rows: before } = await owner.query<Row>(FUNCTIONS, [APP_ROLE]);
  const run = new Set(asCaller(before).map(({ name }) => name));
  await owner.query(change);
  const { rows: all } = await owner.query<Row>(FUNCTIONS, [APP_ROLE]);
  const { rows: tables } = await owner.query<{ name: string }>(TABLES);
  const names = {
    tables: new Set(tables.map(({ name }) => name)),
    functions: new Set(all.map(({ name }) => name)),
  };
  const lacks: string[] = [];
  const needs: { readonly name: string; readonly need: Need }[] = all
    .filter(({ name }) => run.has(name))
    .flatMap(({ name, source }) => needsOf(source, names).map((need) => ({ name, need })));
  for (const { name, need } of needs) {
    const { rows } = await owner.query<{ has: boolean }>(HAS, [
      APP_ROLE,
      need.privilege,
      need.on,
      need.column,
    ]);
    if (!rows[0]?.has) lacks.push(`${name}: ${inWords(need)}`);
  }
  return { lacks, needs: needs.map(({ name, need }) => `${name}: ${inWords(need)}`), all, run };
}

test('a function or trigger that runs as its caller touches only what navbat_app may', async () => {
  const { lacks, needs, all, run } = await lacksAfter();
  expect(lacks).toEqual([]);
  // A reader that had lost its way would find nothing to lack.
  expect(run.size).toBeGreaterThan(20);
  expect(needs.length).toBeGreaterThan(50);
  const unread = all.filter(({ source }) => source === '' || isDynamic(source)).map(({ name }) => name);
  // It makes and drops the tables of weeks, under names of its own, and runs as the owner.
  expect(unread.filter((name) => name !== 'traffic_partitions')).toEqual([]);
});

test('a grant that is missing is told by the functions that need it', async () => {
  const { lacks } = await lacksAfter(`
    revoke insert (detail) on audit from navbat_app;
    revoke select on telegram_chat from navbat_app;
    revoke execute on function webhook_host from navbat_app`);
  expect(lacks).toEqual([
    'closed_chat_of_job: select on telegram_chat',
    'webhook_enqueue: execute on webhook_host',
    'webhook_on_disabled: insert (detail) on audit',
  ]);
});

test('a column that nobody granted is told, as the time once was that the trigger of a disabled endpoint wrote', async () => {
  const { lacks } = await lacksAfter(`
    create or replace function webhook_on_disabled() returns trigger language plpgsql as $$
    begin
      insert into audit (at, actor, action, subject, detail) values (new.disabled_at, 'navbat', 'x', 'y', '{}');
      update audit set actor = 'x';
      delete from audit;
      return null;
    end $$`);
  expect(lacks).toEqual([
    'webhook_on_disabled: insert (at) on audit',
    'webhook_on_disabled: update (actor) on audit',
    'webhook_on_disabled: delete on audit',
  ]);
});

test.each<[string, string[]]>([
  ['insert into job values (1)', ['insert on job']],
  [
    "insert into job as j (id, kind) values (f(1), 'delete from audit') -- from audit\n on conflict (id) do update set kind = g(1, 2), (a, b) = (2, 3) where j.c = 1",
    [
      'insert (id) on job',
      'insert (kind) on job',
      'select on job',
      'update (kind) on job',
      'update (a) on job',
      'update (b) on job',
      'execute on f',
    ],
  ],
  [
    'with gone as (delete from audit a using job) update job j set kind = 1 from gone where j.id = 1',
    ['update (kind) on job', 'delete on audit', 'select on audit', 'select on job'],
  ],
  [
    'select 1 from other, job j where f(2) for no key update',
    ['select on job', 'update on job', 'execute on f'],
  ],
  ['for one in select * from job loop new.audit := old.job; end loop', ['select on job']],
])('%s is read', (source, needs) => {
  const names = { tables: new Set(['job', 'audit']), functions: new Set(['f']) };
  expect(needsOf(source, names).map(inWords)).toEqual(needs);
});

test('what is put together at run time is seen', () => {
  expect(isDynamic("begin execute format('drop table %I', x); end")).toBe(true);
  expect(isDynamic("begin raise 'execute'; end -- execute")).toBe(false);
});
