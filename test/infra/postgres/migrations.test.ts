import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openOrm } from '../../../infra/postgres/engine/orm.ts';
import { eventually } from '../../support/eventually.ts';

/** An empty database of this test's own. */
async function emptyDatabase(): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`create database ${name}`);
  onTestFinished(async () => {
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  });
  return new URL(`/${name}`, inject('postgresUrl')).href;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

test('what is written while rows are counted for the first time is counted', async () => {
  const url = await emptyDatabase();
  const orm = await openOrm(url);
  onTestFinished(() => orm.close(true));
  await orm.migrator.up({ to: 'Migration0020Recipients' });
  const [writer, watcher] = [await connect(url), await connect(url)];
  const projectId = randomUUID();
  await watcher.query(`insert into project (id, slug, created_at) values ($1, 'early', now())`, [projectId]);
  await writer.query('begin');
  await writer.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
     values (uuidv7(), 'otp-send', $1, $1, '{}', '{}', now(), now(), now())`,
    [projectId],
  );
  const migrated = orm.migrator.up();
  await eventually(async () => {
    const { rows } = await watcher.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(rows).toHaveLength(1);
  });
  await writer.query('commit');
  await migrated;
  const { rows } = await watcher.query(
    'select what, n::int from project_rows where project_id = $1 order by what',
    [projectId],
  );
  expect(rows).toEqual([
    { what: 'live', n: 1 },
    { what: 'queued', n: 1 },
  ]);
});
