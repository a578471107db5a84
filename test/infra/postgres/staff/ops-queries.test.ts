import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobs } from '../../../../domain/jobs.ts';
import { settles } from '../../../../infra/postgres/settles.ts';
import { opsQueries } from '../../../../infra/postgres/staff/ops-queries.ts';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

/** More groups than a page of failures shows. */
const GROUPS = 101;
const now = new Date();
/** An installation that works on webhooks only. */
const queries = () => opsQueries(world.pool, { jobs: { webhook: jobs.webhook }, settles }, {});

async function insertFailed(kind: string, reason: string, projectId: string): Promise<void> {
  const id = uuidv7();
  await world.pool.query(
    `insert into job (id, kind, project_id, subject_id, state, reason, payload, labels, run_at, deadline_at, accepted_at, finished_at)
     values ($1, $2, $3, gen_random_uuid(), 'failed', $4, '{}', '{}', now(), now(), now(), now())`,
    [id, kind, projectId, reason],
  );
  await world.pool.query(
    `insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome, reason)
     values ($1, 1, $2, 'push', 'fcm', now(), now(), 'failed', $3)`,
    [id, projectId, reason],
  );
}

test('failures of a product that is off leave the page to those of the others', async () => {
  const { projectId } = await world.makeProject();
  for (let n = 0; n < GROUPS; n++)
    for (let twice = 0; twice < 2; twice++) await insertFailed('push', `reason-${n}`, projectId);
  await insertFailed('webhook', 'connection-refused', projectId);
  const found = await queries().failures({}, new Date(now.getTime() - 60_000));
  expect(found.jobs).toMatchObject([{ kind: 'webhook', reason: 'connection-refused', jobs: 1 }]);
  expect(found.attempts).toMatchObject([{ kind: 'webhook', reason: 'connection-refused', attempts: 1 }]);
});

test('a queue of a product that is off is not on the overview', async () => {
  await world.pool.query(`insert into queue (kind) values ('webhook'), ('push') on conflict do nothing`);
  const { queues } = await queries().overview(now, now);
  expect(queues.map(({ kind }) => kind)).toEqual(['webhook']);
});
