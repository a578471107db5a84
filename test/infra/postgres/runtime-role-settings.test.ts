import { expect, test } from 'vitest';
import { openRoleGround } from './role-ground.ts';

const { saidAfter } = await openRoleGround();

const onDatabase = (setting: string) =>
  `do $$ begin execute format('alter database %I set ${setting}', current_database()); end $$`;

test.each([
  ['alter role navbat_app set synchronous_commit = off', 'alter role navbat_app reset synchronous_commit'],
  ['alter role navbat_app set work_mem = 65536', 'alter role navbat_app reset work_mem'],
  [
    'alter role navbat_app set default_transaction_isolation = serializable',
    'alter role navbat_app reset default_transaction_isolation',
  ],
])('%s, as it may itself: no process starts, and is told what to run', async (sql, run) => {
  expect(await saidAfter(sql, { by: 'navbat_app' })).toContain(
    `Run: ${run}. docs/operations.md, "Database roles"`,
  );
});

test('a setting for this database alone is found', async () => {
  const alone = `do $$ begin execute format('alter role navbat_app in database %I set search_path = mine', current_database()); end $$`;
  expect(await saidAfter(alone)).toMatch(/Run: alter role navbat_app in database \w+ reset search_path\./);
});

test.each([
  'session_replication_role = replica',
  'synchronous_commit = off',
  'default_transaction_isolation = serializable',
  'default_transaction_read_only = on',
  'search_path = mine',
  'row_security = off',
  'transform_null_equals = on',
  'session_preload_libraries = auto_explain',
])('the database with %s: no process starts, and is told what to run', async (setting) => {
  const name = setting.split(' ')[0];
  expect(await saidAfter(onDatabase(setting))).toMatch(
    new RegExp(`${name} is set on database \\w+\\. Run: alter database \\w+ reset ${name}\\.`),
  );
  expect(await saidAfter(`alter role all set ${setting}`)).toContain(`Run: alter role all reset ${name}.`);
});

test.each([
  ['session_replication_role', 'replica'],
  ['search_path', 'mine, public'],
  ['synchronous_commit', 'off'],
  ['DateStyle', 'German'],
  ['array_nulls', 'off'],
  ['standard_conforming_strings', 'off'],
  ['backslash_quote', 'on'],
  ['bytea_output', 'escape'],
  ['IntervalStyle', 'sql_standard'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_read_only', 'on'],
  ['row_security', 'off'],
  ['transform_null_equals', 'on'],
  ['extra_float_digits', '-15'],
  ['plpgsql.variable_conflict', 'use_column'],
])('a session with %s %s, wherever it was set, is no start', async (name, value) => {
  // As one begins after `alter system`, which can't be taken back by a rollback.
  const said = await saidAfter(`set local ${name} = ${value.includes(',') ? value : `'${value}'`}`);
  expect(said).toContain(`DATABASE_URL: ${name} is ${value}`);
  expect(said).toContain(`alter system reset ${name}; select pg_reload_conf()`);
});

test.each(['DateStyle = "ISO, DMY"', 'TimeZone = "Asia/Tokyo"', 'synchronous_commit = on'])(
  'a session with %s starts',
  async (setting) => {
    expect(await saidAfter(`set local ${setting}`)).toBe('undefined');
  },
);

test.each(['statement_timeout = 60000', 'log_min_duration_statement = 500'])(
  'the database with %s is the operator’s choice',
  async (setting) => {
    expect(await saidAfter(onDatabase(setting))).toBe('undefined');
  },
);

const right = (on: string) => `navbat_app has a right on ${on}`;
const everybody = (on: string) => `everybody has a right on ${on} that Postgres does not give.`;
const owned = (what: string) => `navbat_app owns ${what}.`;

test.each([
  ['grant execute on function pg_read_file(text) to navbat_app', right('function pg_read_file(text)')],
  ['grant execute on function pg_read_file(text) to public', everybody('function pg_read_file(text)')],
  ['grant select on pg_authid to navbat_app', right('table pg_authid')],
  ['grant select on pg_authid to public', everybody('table pg_authid')],
  ['grant select (rolpassword) on pg_authid to navbat_app', right('column rolpassword of table pg_authid')],
  ['grant select (rolpassword) on pg_authid to public', everybody('column rolpassword of table pg_authid')],
  ['grant create on tablespace pg_default to navbat_app', right('tablespace pg_default')],
  ['grant create on tablespace pg_default to public', everybody('tablespace pg_default')],
  ['grant usage on language plpgsql to navbat_app', right('language plpgsql')],
  [
    'create foreign data wrapper w; grant usage on foreign data wrapper w to navbat_app',
    right('foreign-data wrapper w'),
  ],
  [
    'create foreign data wrapper w; create server s foreign data wrapper w; grant usage on foreign server s to navbat_app',
    right('server s'),
  ],
  [
    'create foreign data wrapper w; create server s foreign data wrapper w; grant usage on foreign server s to public',
    everybody('server s'),
  ],
  ['select lo_create(77001); grant select on large object 77001 to navbat_app', right('large object 77001')],
  ['select lo_create(77001); grant select on large object 77001 to public', everybody('large object 77001')],
  ['create schema mine; create table mine.t (); grant select on mine.t to navbat_app', right('table mine.t')],
  ['alter default privileges grant select on tables to navbat_app', right('default privileges')],
  ['select lo_create(77001); alter large object 77001 owner to navbat_app', owned('large object 77001')],
  [
    'create schema mine; create table mine.t (); alter table mine.t owner to navbat_app',
    owned('table mine.t'),
  ],
  ['create type public.mine as enum (); alter type public.mine owner to navbat_app', owned('type mine')],
])('%s: no process starts', async (sql, said) => {
  expect(await saidAfter(sql)).toContain(said);
});

test.each(['navbat_app', 'public'])('what alter system may write, granted to %s, is no start', async (to) => {
  expect(await saidAfter(`grant alter system on parameter fsync to ${to}`)).toContain(
    'navbat_app may set fsync.',
  );
});

test('what the role itself makes, a large object, is no start', async () => {
  expect(await saidAfter('select lo_create(77001)', { by: 'navbat_app' })).toContain(
    owned('large object 77001'),
  );
});

test.each([
  ['disable trigger audit_is_kept', /alter table audit enable trigger audit_is_kept/],
  ['enable replica trigger audit_is_kept', /enable trigger audit_is_kept/],
])('a table with %s is no start, and it is told what to run', async (change, said) => {
  expect(await saidAfter(`alter table audit ${change}`)).toMatch(said);
});

test('foreign keys that were switched off are no start', async () => {
  expect(await saidAfter('alter table project disable trigger all')).toMatch(
    /run: alter table project enable trigger "RI_ConstraintTrigger_\w+" \(and \d+ more\)\./,
  );
});

test('an operating system that orders texts otherwise than the indexes are is no start', async () => {
  expect(
    await saidAfter(`update pg_database set datcollversion = '1' where datname = current_database()`),
  ).toMatch(
    /its indexes were built with 1\. As the owner, run: reindex database \w+; alter database \w+ refresh collation version/,
  );
});

test('a trigger that fires always may', async () => {
  expect(await saidAfter('alter table audit enable always trigger audit_is_kept')).toBe('undefined');
});
