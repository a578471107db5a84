import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { applyGrants } from '../../../infra/postgres/engine/grants.ts';
import { grants } from '../../../infra/postgres/grants.ts';
import { refuseOtherRole } from '../../../infra/postgres/runtime-role.ts';
import { freshDatabase } from '../../support/servers.ts';

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
  ['revoke insert on audit from navbat_app', 'lacks insert on table audit to navbat_app'],
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
