import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hotPool, schedulerPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { openOrm } from '../../../../infra/postgres/engine/orm.ts';
import { connection } from '../../../../infra/postgres/engine/session.ts';
import { freshDatabase } from '../../../support/servers.ts';

const ASKED = `select current_setting('synchronous_commit') "commit", current_setting('transaction_isolation') isolation,
  current_setting('TimeZone') zone, current_setting('idle_in_transaction_session_timeout') idle`;

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

const kept = { commit: 'on', isolation: 'read committed', zone: 'UTC', idle: '15s' };
/** What is set in the URL wins with pg, whatever stands beside it. */
const badUrl = () => {
  const url = new URL(database.url);
  url.searchParams.set('options', '-c synchronous_commit=off -c TimeZone=Asia/Tokyo -c work_mem=3MB');
  url.searchParams.set('idle_in_transaction_session_timeout', '1000');
  url.searchParams.set('statement_timeout', '1000');
  return url.href;
};

test.each([
  ['the hot pool', (url: string) => hotPool(url, 1)],
  ["the scheduler's pool", (url: string) => schedulerPool(url, 1)],
  ['a pool of everyday', (url: string) => new pg.Pool(connection(url))],
])(
  '%s commits for certain and sees what is committed, whatever its role or URL is set to',
  async (_what, open) => {
    for (const url of [database.url, badUrl()]) {
      const pool = open(url);
      const { rows } = await pool.query(ASKED);
      await pool.end();
      expect(rows).toEqual([kept]);
    }
  },
);

test('the ORM commits for certain and sees what is committed, whatever its role or URL is set to', async () => {
  for (const url of [database.url, badUrl()]) {
    const orm = await openOrm(url);
    const rows = await orm.em.fork().transactional((em) => em.execute(ASKED));
    await orm.close(true);
    expect(rows).toEqual([kept]);
  }
});

test('of the options in a URL those count that we do not set; of its time-outs ours', async () => {
  const pool = hotPool(badUrl(), 1);
  const { rows } = await pool.query(
    `select current_setting('work_mem') mem, current_setting('statement_timeout') statement, current_setting('plan_cache_mode') plans`,
  );
  await pool.end();
  expect(rows).toEqual([{ mem: '3MB', statement: '15s', plans: 'force_custom_plan' }]);
});

test('without the options its role decides', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(ASKED);
  await client.end();
  expect(rows).toMatchObject([{ commit: 'off', isolation: 'repeatable read', idle: '0' }]);
});

test('each pool and client that a process makes has the options', () => {
  const root = resolve(import.meta.dirname, '../../../..');
  const made = globSync('{apps,infra,workers}/**/*.ts', { cwd: root })
    // The superuser's own, which makes roles and the database.
    .filter((path) => !path.startsWith('infra/embedded/'))
    .flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/new (?:pg\.)?(?:Pool|Client)\(\s*\w*/g)].map(
        ([text]) => ({ path, text }),
      ),
    );
  expect(made.length).toBeGreaterThan(5);
  expect(made.filter(({ text }) => !text.endsWith('connection'))).toEqual([]);
});
