import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { applyGrants } from '../../../infra/postgres/engine/grants.ts';
import { grants } from '../../../infra/postgres/grants.ts';
import { refuseOtherRole } from '../../../infra/postgres/runtime-role.ts';
import { freshDatabase } from '../../support/servers.ts';
import { openRoleGround } from './role-ground.ts';

async function openDatabase() {
  const database = await freshDatabase();
  const open = (connectionString: string) => new pg.Pool({ connectionString, max: 1 });
  const pools = {
    app: open(database.url),
    owner: open(database.ownerUrl),
    superuser: open(database.superuserUrl),
  };
  onTestFinished(async () => {
    await Promise.all(Object.values(pools).map((pool) => pool.end()));
    await database.drop();
  });
  return { ...pools, saidTo: (pool: pg.Pool) => refuseOtherRole(pool).then(String, String) };
}

test('navbat_app on a migrated database may run', async () => {
  const { app, saidTo } = await openDatabase();
  expect(await saidTo(app)).toBe('undefined');
});

test('a superuser and the owner of the tables may not, and are told whom to name', async () => {
  const { owner, superuser, saidTo } = await openDatabase();
  expect(await saidTo(superuser)).toMatch(/DATABASE_URL: \w+ is a superuser.* Expected navbat_app/);
  expect(await saidTo(owner)).toMatch(/DATABASE_URL: navbat_owner owns .* Expected navbat_app/);
});

test.each([
  [
    'revoke insert on audit from navbat_app',
    'lacks insert (staff_id) on table audit to navbat_app (and 4 more)',
  ],
  ['revoke update (run_at) on job from navbat_app', 'lacks update (run_at) on table job to navbat_app'],
  ['grant update on audit to navbat_app', 'has update on table audit to navbat_app'],
  ['grant update (actor) on audit to navbat_app', 'has update (actor) on table audit to navbat_app'],
  ['grant delete on audit to public', 'has delete on table audit to public'],
  ['grant select on audit to navbat_app with grant option', 'select on table audit to navbat_app'],
  ['create table mine (); grant select on mine to navbat_app', 'has select on table mine to navbat_app'],
  ['revoke execute on function navbat_now() from navbat_app', 'lacks execute on function navbat_now() to'],
  [
    'grant execute on function audit_is_kept() to public',
    'has execute on function audit_is_kept() to public',
  ],
  ['grant create on schema public to navbat_app', 'has create on schema public to navbat_app'],
  ['grant usage on schema public to public', 'has usage on schema public to public'],
])('%s: no process starts, it is told, and a migration mends it', async (sql, said) => {
  const { app, owner, saidTo } = await openDatabase();
  await owner.query(sql);
  expect(await saidTo(app)).toContain(said);
  expect(await saidTo(app)).toContain('Run: npm run migrate.');
  await applyGrants(owner, grants);
  expect(await saidTo(app)).toBe('undefined');
});

test('temporary tables for everybody, as a new database has them, are no start', async () => {
  const { app, superuser, saidTo } = await openDatabase();
  await superuser.query(
    `do $$ begin execute format('grant temp on database %I to public', current_database()); end $$`,
  );
  expect(await saidTo(app)).toMatch(/has temporary on database \w+ to public/);
});

test('an older schema is told as such, and a newer one', async () => {
  const { app, owner, saidTo } = await openDatabase();
  await owner.query('alter table waiting_chat rename to waiting');
  await owner.query(`insert into mikro_orm_migrations (name) values ('Migration20991231Later')`);
  expect(await saidTo(app)).toMatch(
    /schema is of a newer version\. Run that version\..*no table waiting_chat/,
  );
  await owner.query(`delete from mikro_orm_migrations where id > 1`);
  expect(await saidTo(app)).toMatch(/schema is of an older version\. Run: npm run migrate\./);
});

const { saidAfter } = await openRoleGround();

test.each([
  ['alter role navbat_app superuser', 'navbat_app is a superuser, and may do anything.'],
  ['alter role navbat_app createdb', 'navbat_app has createdb.'],
  ['alter role navbat_app createrole', 'navbat_app has createrole.'],
  ['alter role navbat_app bypassrls', 'navbat_app has bypassrls.'],
  ['alter role navbat_app replication', 'navbat_app has replication.'],
  ['alter role navbat_app createdb createrole', 'navbat_app has createrole, createdb.'],
  ['alter table audit owner to navbat_app', 'navbat_app owns table audit, and'],
  ['alter function audit_is_kept() owner to navbat_app', 'navbat_app owns function audit_is_kept, and'],
  ['alter schema public owner to navbat_app', 'navbat_app owns schema public, and'],
  [
    `do $$ begin execute format('alter database %I owner to navbat_app', current_database()); end $$`,
    'navbat_app owns ',
  ],
  // Whom it may become owns all of it, and it is the membership that is to be taken back.
  [
    'grant navbat_owner to navbat_app',
    'navbat_app may act as navbat_owner. Run: revoke navbat_owner from navbat_app.',
  ],
  ['grant navbat_owner to navbat_app with inherit false', 'navbat_app may act as navbat_owner.'],
  [
    'grant pg_write_all_data, pg_monitor to navbat_app',
    'navbat_app may act as pg_monitor, pg_write_all_data. Run: revoke pg_monitor, pg_write_all_data from navbat_app.',
  ],
  [
    'grant set on parameter session_replication_role to navbat_app',
    'navbat_app may set session_replication_role.',
  ],
  ['grant set on parameter log_statement to public', 'navbat_app may set log_statement.'],
])('%s: the role itself may not run, and is told what it has and where it is made', async (sql, said) => {
  const heard = await saidAfter(sql);
  expect(heard).toContain(`DATABASE_URL: ${said}`);
  expect(heard).toContain('Expected navbat_app as docs/operations.md, "Database roles" makes it.');
});

test('another role is told that it is another one', async () => {
  expect(await saidAfter('create role stranger_of_navbat', { to: 'stranger_of_navbat' })).toContain(
    'DATABASE_URL: it logs in as stranger_of_navbat. Expected navbat_app',
  );
});

test('what an extension brings into schema public, with what everybody may call, is the operator’s', async () => {
  expect(await saidAfter('create extension cube schema public')).toBe('undefined');
});

test('after a restore without grants no process is told that the schema is older', async () => {
  const said = await saidAfter('revoke all on all tables in schema public from navbat_app');
  expect(said).toContain(
    'what navbat_app may do differs from the list of this version. Run: npm run migrate.',
  );
});

test('a schema of its own is more than the list has', async () => {
  expect(await saidAfter('create schema mine authorization navbat_app')).toContain(
    'has create on schema mine to navbat_app, which is not in the list of grants',
  );
});

test('nothing else about the session is needed: as navbat_app within a superuser’s transaction it may run', async () => {
  expect(await saidAfter('select 1')).toBe('undefined');
});
