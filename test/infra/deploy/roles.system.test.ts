import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type EmbeddedPostgres, startPostgres } from '../../../infra/embedded/postgres.ts';
import { makeRoles } from '../../../infra/embedded/roles.ts';
import { migrate } from '../../../infra/postgres/migrate.ts';
import { refuseOtherRole } from '../../../infra/postgres/runtime-role.ts';

/** Roles are of a whole server: this one is the test's own. */
const START_MS = 60_000;
const passwords = { owner: 'of-the-owner', app: 'of-the-app' };

let home: string;
let server: EmbeddedPostgres;
let superuser: pg.Client;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'navbat-roles-'));
  server = await startPostgres({ directory: home });
  superuser = new pg.Client({ connectionString: server.superuserUrl });
  await superuser.connect();
  await superuser.query(`create role former login; create role reader`);
}, START_MS);
afterAll(async () => {
  await superuser.end();
  await server.stop();
  await rm(home, { recursive: true });
});

// Another role made all of it, and a third one was let in.
beforeEach(async () => {
  await superuser.query(`
    drop schema public cascade; create schema public authorization former;
    alter database navbat owner to former;
    grant all on schema public to reader; grant create, connect on database navbat to reader;
    grant reader, navbat_owner to navbat_app;
    set role former; create table mine (id int); reset role`);
});

const urlOf = (user: 'owner' | 'app') => {
  const url = new URL(server.superuserUrl);
  url.username = `navbat_${user}`;
  url.password = passwords[user];
  return url.href;
};
const rightsOf = async (role: string) => {
  const { rows } = await superuser.query(
    `select has_schema_privilege($1, 'public', 'create') "create", has_database_privilege($1, 'navbat', 'create') "schemas",
       has_database_privilege($1, 'navbat', 'connect') "connect"`,
    [role],
  );
  return rows[0];
};

test('it hands the database over with schema public, and the migration and the processes then run', async () => {
  await makeRoles(server.superuserUrl, passwords);
  await superuser.query('drop table mine');
  await migrate(urlOf('owner'));
  const app = new pg.Pool({ connectionString: urlOf('app'), max: 1 });
  await expect(refuseOtherRole(app)).resolves.toBeUndefined();
  await app.end();
  expect(await rightsOf('former')).toEqual({ create: false, schemas: false, connect: false });
});

test('it takes back what other roles were granted, says so, and twice is as once', async () => {
  const notices: string[] = [];
  superuser.on('notice', ({ message }) => notices.push(message ?? ''));
  const script = await readFile('infra/deploy/roles.sql', 'utf8');
  await superuser.query(`set navbat.owner_password = 'of-the-owner'; set navbat.app_password = 'of-the-app'`);
  await superuser.query(script);
  expect(notices.toSorted()).toEqual([
    'revoke all on database navbat from reader cascade',
    'revoke all on schema public from reader cascade',
    expect.stringMatching(/^revoke navbat_owner from navbat_app granted by /),
    expect.stringMatching(/^revoke reader from navbat_app granted by /),
  ]);
  expect(await rightsOf('reader')).toMatchObject({ create: false, schemas: false });
  notices.length = 0;
  await superuser.query(script);
  expect(notices).toEqual([]);
  await superuser.query('reset navbat.owner_password; reset navbat.app_password');
});

test('without the passwords it changes nothing, and says what to set', async () => {
  await superuser.query(`alter role navbat_app createdb`);
  await expect(superuser.query(await readFile('infra/deploy/roles.sql', 'utf8'))).rejects.toMatchObject({
    message: 'navbat.owner_password or navbat.app_password is not set',
    hint: expect.stringContaining('set navbat.owner_password'),
  });
  const { rows } = await superuser.query(`select rolcreatedb from pg_roles where rolname = 'navbat_app'`);
  expect(rows).toEqual([{ rolcreatedb: true }]);
});
