import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres } from '../../../infra/embedded/postgres.ts';
import { openOrm } from '../../../infra/postgres/engine/orm.ts';
import { type Start, START_MS, startHome, type StartHome, untilReady } from '../../support/npm-start.ts';

/**
 * A home of a version with one role, in which the superuser `navbat` owned the tables and ran every process, and its next two starts.
 * The tests build on each other, in this order.
 */
const LAST_MIGRATION = 'Migration20261129131500VerifyTextAnswer';
const projectId = randomUUID();

let home: StartHome;
beforeAll(async () => {
  home = await startHome();
  await makeOneRoleHome(home.path);
}, START_MS);
afterAll(() => home.close());

async function makeOneRoleHome(path: string): Promise<void> {
  const server = await startPostgres({ directory: path });
  try {
    await query(
      server.superuserUrl,
      `alter database navbat owner to navbat; drop owned by navbat_owner, navbat_app; drop role navbat_owner, navbat_app`,
    );
    const orm = await openOrm(server.superuserUrl);
    await orm.migrator.up({ to: LAST_MIGRATION });
    await orm.close(true);
    await query(
      server.superuserUrl,
      `insert into project (id, slug, created_at) values ('${projectId}', 'kept', now());
       insert into recipient (id, project_id, handle, address_hash, created_at, updated_at)
         values (gen_random_uuid(), '${projectId}', 'aziz', '', now(), now());
       insert into audit (at, actor, action, subject) values (now(), 'somebody@navbat.example', 'job.retry', 'kept')`,
    );
  } finally {
    await server.stop();
  }
  for (const role of ['owner', 'app']) await rm(join(path, `postgres.${role}.password`));
}

async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Of the server that runs in the home. */
async function superuserUrl(): Promise<string> {
  const port = (await readFile(join(home.path, 'postgres/postmaster.pid'), 'utf8')).split('\n')[3];
  const password = (await readFile(join(home.path, 'postgres.password'), 'utf8')).trim();
  return `postgres://navbat:${password}@127.0.0.1:${port}/navbat`;
}

async function end({ supervisor, ended }: Start): Promise<void> {
  supervisor.kill('SIGTERM');
  expect(await ended).toBe(0);
}

/** All that the roles must own, by who owns it, and the roles by their number, which a role made anew does not have. */
const STATE = `
select
  (select array_agg(distinct owner::regrole::text) from (
    select datdba owner from pg_database where datname = current_database()
    union all select relowner from pg_class where relnamespace = 'public'::regnamespace
    union all select proowner from pg_proc where pronamespace = 'public'::regnamespace
    union all select typowner from pg_type where typnamespace = 'public'::regnamespace) o) owners,
  (select jsonb_object_agg(rolname, oid) from pg_roles where rolname like 'navbat\\_%') roles,
  (select jsonb_object_agg(rolname, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)
    from pg_roles where rolname like 'navbat\\_%') powers,
  (select array_agg(distinct usename::text) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()) sessions,
  array(select slug from project where id = '${projectId}') projects,
  array(select handle from recipient where project_id = '${projectId}') recipients,
  array(select actor from audit where subject = 'kept') audits`;
const state = async () => (await query<Record<string, unknown>>(await superuserUrl(), STATE))[0];

let roles: unknown;

test(
  'the next start makes both roles, hands everything over and keeps what is there',
  async () => {
    const start = home.start();
    await untilReady(start);
    const found = await state();
    expect(found).toMatchObject({
      owners: ['navbat_owner'],
      powers: { navbat_owner: false, navbat_app: false },
      sessions: ['navbat_app'],
      projects: ['kept'],
      recipients: ['aziz'],
      audits: ['somebody@navbat.example'],
    });
    roles = found?.['roles'];
    expect((await fetch(`http://127.0.0.1:${home.ports.API_PORT}/health/ready`)).status).toBe(200);
    await end(start);
  },
  START_MS,
);

test(
  'the start after it finds them and changes nothing',
  async () => {
    const start = home.start();
    await untilReady(start);
    expect(await state()).toMatchObject({ owners: ['navbat_owner'], roles, projects: ['kept'] });
    await end(start);
  },
  START_MS,
);
