import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { expect, onTestFinished, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { depthReader } from '../../../../infra/postgres/job/depth.ts';
import { freshDatabase } from '../../../support/servers.ts';

const FOUR_DAYS_SECONDS = 4 * 86_400;

async function openPool() {
  const database = await freshDatabase();
  const pool = new pg.Pool({ connectionString: database.ownerUrl });
  onTestFinished(async () => {
    await pool.end();
    await database.drop();
  });
  return pool;
}

const insertJob = `insert into job (id, kind, project_id, subject_id, mode, state, payload, labels, run_at, deadline_at, accepted_at)
     values ($1, 'push', $2, $1, 'live', $3, '{}', '{}', now() + $4::interval, now() + interval '9 days', now())`;

test('what waits for its first attempt and what is due for a further one counts as waiting; a pause and a running one do not', async () => {
  const pool = await openPool();
  for (const [state, due] of [
    ['queued', '1 hour'],
    ['retrying', '-1 hour'],
    ['retrying', '1 hour'],
    ['running', '-2 hours'],
  ])
    await pool.query(insertJob, [uuidv7(), PLATFORM_PROJECT_ID, state, due]);
  const [depth] = await depthReader(pool)();
  expect(depth).toMatchObject({ kind: 'push', unfinished: 4, waiting: 2 });
  expect(depth?.oldestWaitingSeconds).toBeGreaterThan(3_500);
  expect(depth?.oldestWaitingSeconds).toBeLessThan(3_700);
});

test('how long the oldest job waits is told by navbat_now(), whatever puts it forward', async () => {
  const pool = await openPool();
  await pool.query(insertJob, [uuidv7(), PLATFORM_PROJECT_ID, 'queued', '1 hour']);
  const depth = async () => (await depthReader(pool)())[0];
  expect(await depth()).toMatchObject({ kind: 'push', waiting: 1, oldestWaitingSeconds: 0 });

  await pool.query(
    `create or replace function navbat_now() returns timestamptz language sql stable as $$ select now() + interval '4 days' $$`,
  );
  expect((await depth())?.oldestWaitingSeconds).toBeGreaterThan(FOUR_DAYS_SECONDS - 3_600);
  expect((await depth())?.oldestWaitingSeconds).toBeLessThan(FOUR_DAYS_SECONDS);
});
