import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hotPool, schedulerPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { openOrm } from '../../../../infra/postgres/engine/orm.ts';
import { SESSION } from '../../../../infra/postgres/engine/session.ts';
import { freshDatabase } from '../../../support/servers.ts';

const ASKED = `select current_setting('synchronous_commit') "commit", current_setting('transaction_isolation') isolation`;

let database: Awaited<ReturnType<typeof freshDatabase>>;
/** Sessions of navbat_app begin otherwise in it, which that role may ask for itself. */
beforeAll(async () => {
  database = await freshDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const name = client.escapeIdentifier(client.database ?? '');
  await client.query(`alter role navbat_app in database ${name} set synchronous_commit = off`);
  await client.query(
    `alter role navbat_app in database ${name} set default_transaction_isolation = 'repeatable read'`,
  );
  await client.end();
});
afterAll(() => database.drop());

const kept = { commit: 'on', isolation: 'read committed' };

test.each([
  ['the hot pool', () => hotPool(database.url, 1)],
  ["the scheduler's pool", () => schedulerPool(database.url, 1)],
  ['a pool of everyday', () => new pg.Pool({ connectionString: database.url, options: SESSION })],
])('%s commits for certain and sees what is committed, whatever its role is set to', async (_what, open) => {
  const pool = open();
  const { rows } = await pool.query(ASKED);
  await pool.end();
  expect(rows).toEqual([kept]);
});

test('the ORM commits for certain and sees what is committed, whatever its role is set to', async () => {
  const orm = await openOrm(database.url);
  const rows = await orm.em.fork().transactional((em) => em.execute(ASKED));
  await orm.close(true);
  expect(rows).toEqual([kept]);
});

test('without the options its role decides', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(ASKED);
  await client.end();
  expect(rows).toEqual([{ commit: 'off', isolation: 'repeatable read' }]);
});

test('each pool and client that a process makes has the options', () => {
  const root = resolve(import.meta.dirname, '../../../..');
  const made = globSync('{apps,infra,workers}/**/*.ts', { cwd: root })
    // The superuser's own, which makes roles and the database.
    .filter((path) => !path.startsWith('infra/embedded/'))
    .flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/new (?:pg\.)?(?:Pool|Client)\([^)]*\)/g)].map(
        ([text]) => ({ path, text }),
      ),
    );
  expect(made.length).toBeGreaterThan(5);
  expect(made.filter(({ text }) => !text.includes('SESSION'))).toEqual([]);
});
