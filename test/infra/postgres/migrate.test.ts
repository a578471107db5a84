import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { migrate, OtherSchemaError } from '../../../infra/postgres/migrate.ts';
import { migrations } from '../../../infra/postgres/schema.ts';
import { eventually } from '../../support/eventually.ts';

/** An empty database of this test's own; `url` is of its owner. */
async function emptyDatabase(): Promise<{ url: string; superuserUrl: string; client: pg.Client }> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: inject('postgres').superuserUrl });
  await admin.connect();
  await admin.query(`create database ${name} owner navbat_owner`);
  const url = new URL(`/${name}`, inject('postgres').ownerUrl).href;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  });
  const superuserUrl = new URL(`/${name}`, inject('postgres').superuserUrl).href;
  return { url, superuserUrl, client };
}

test('four that migrate an empty database at once bring it up to date, once', async () => {
  const { url, client } = await emptyDatabase();
  await Promise.all([migrate(url), migrate(url), migrate(url), migrate(url)]);
  const { rows } = await client.query('select name from mikro_orm_migrations order by id');
  expect(rows.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name));
});

test('a second run, and two at once, change nothing', async () => {
  const { url, client } = await emptyDatabase();
  await migrate(url);
  const { rows } = await client.query('select name, executed_at from mikro_orm_migrations order by id');
  await Promise.all([migrate(url), migrate(url)]);
  expect((await client.query('select name, executed_at from mikro_orm_migrations order by id')).rows).toEqual(
    rows,
  );
});

test('a database of another version is refused by name, and left as it is', async () => {
  const { url, client } = await emptyDatabase();
  await client.query(`create table mikro_orm_migrations (id serial primary key, name varchar(255), executed_at timestamptz default now());
    insert into mikro_orm_migrations (name) values ('Migration0001Start'); create table job (id int)`);
  await expect(migrate(url)).rejects.toThrow(OtherSchemaError);
  await expect(migrate(url)).rejects.toThrow(/Migration0001Start.*Name an empty database/);
  const { rows } =
    await client.query(`select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
    order by 1`);
  expect(rows.map(({ relname }) => relname)).toEqual(['job', 'mikro_orm_migrations']);
});

test.each([
  [
    'the database',
    `do $$ begin execute format('alter database %I owner to current_user', current_database()); end $$`,
  ],
  ['schema public', 'alter schema public owner to current_user'],
  ['table stranger', 'create table stranger ()'],
])(
  '%s of another role is told, with whose it is and what hands it over; nothing is changed',
  async (what, sql) => {
    const { url, superuserUrl, client } = await emptyDatabase();
    const superuser = new pg.Client({ connectionString: superuserUrl });
    await superuser.connect();
    await superuser.query(sql);
    await superuser.end();
    await expect(migrate(url)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(
        new RegExp(
          `^MIGRATE_DATABASE_URL: navbat_owner does not own ${what}, which belongs to \\w+\\. .*roles\\.sql`,
        ),
      ),
    });
    const { rows } = await client.query(`select to_regclass('mikro_orm_migrations') made`);
    expect(rows).toEqual([{ made: null }]);
  },
);

/** The process that holds the lock of migrations, while one runs. */
async function lockHolder(client: pg.Client): Promise<{ pid: number; state: string }> {
  return eventually(async () => {
    const { rows } = await client.query<{ pid: number; state: string }>(
      `select a.pid, a.state from pg_locks l join pg_stat_activity a using (pid)
       where l.locktype = 'advisory' and l.granted and a.datname = current_database()`,
    );
    if (!rows[0]) throw new Error('nobody holds it yet');
    return rows[0];
  });
}

test('its lock is a transaction’s, so that a pooler’s server connection keeps neither lock nor timeout', async () => {
  const { url, client } = await emptyDatabase();
  const migrating = migrate(url);
  expect(await lockHolder(client)).toMatchObject({ state: 'idle in transaction' });
  await migrating;
  const { rows } = await client.query(`select from pg_locks where locktype = 'advisory' and database =
    (select oid from pg_database where datname = current_database())`);
  expect(rows).toEqual([]);
});

test('a lock’s connection that drops ends no process', async () => {
  const { url, client } = await emptyDatabase();
  const migrating = migrate(url);
  await client.query('select pg_terminate_backend($1)', [(await lockHolder(client)).pid]);
  await migrating;
  const { rows } = await client.query('select name from mikro_orm_migrations');
  expect(rows).toHaveLength(migrations.length);
});
