import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { expect, onTestFinished, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { depthReader } from '../../../../infra/postgres/job/depth.ts';
import { freshDatabase } from '../../../support/servers.ts';

const FOUR_DAYS_SECONDS = 4 * 86_400;

test('how long the oldest job waits is told by navbat_now(), whatever puts it forward', async () => {
  const database = await freshDatabase();
  const pool = new pg.Pool({ connectionString: database.url });
  onTestFinished(async () => {
    await pool.end();
    await database.drop();
  });
  await pool.query(
    `insert into job (id, kind, project_id, subject_id, mode, state, payload, labels, run_at, deadline_at, accepted_at)
     values ($1, 'push', $2, $1, 'live', 'queued', '{}', '{}', now() + interval '1 hour', now() + interval '9 days', now())`,
    [uuidv7(), PLATFORM_PROJECT_ID],
  );
  const depth = async () => (await depthReader(pool)())[0];
  expect(await depth()).toMatchObject({ kind: 'push', waiting: 1, oldestWaitingSeconds: 0 });

  await pool.query(
    `create or replace function navbat_now() returns timestamptz language sql stable as $$ select now() + interval '4 days' $$`,
  );
  expect((await depth())?.oldestWaitingSeconds).toBeGreaterThan(FOUR_DAYS_SECONDS - 3_600);
  expect((await depth())?.oldestWaitingSeconds).toBeLessThan(FOUR_DAYS_SECONDS);
});
