import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEndpoints, readProviders } from '../../../../infra/postgres/staff/alarm-queries.ts';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
let project: { projectId: string; slug: string };
beforeAll(async () => {
  world = await openGround();
  project = await world.makeProject();
});
afterAll(() => world.close());

const now = new Date();
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
const DAY_MINUTES = 24 * 60;

async function insertAttempt(provider: string, channel: string, outcome: string | null, openedAt: Date) {
  const id = uuidv7({ msecs: openedAt.getTime() });
  await world.pool.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
     values ($1, 'push', $2, gen_random_uuid(), '{}', '{}', now(), now() + interval '1 day', $3)`,
    [id, project.projectId, openedAt],
  );
  await world.pool.query(
    `insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome)
     values ($1, 1, $2, $3, $4, $5, case when $6::text is null then null else $5::timestamptz end, $6)`,
    [id, project.projectId, channel, provider, openedAt, outcome],
  );
}

test('a provider’s faults are those of the last minutes that have ended, and a customer’s server is no provider', async () => {
  for (const outcome of ['failed', 'unknown', 'rejected', 'completed', null])
    await insertAttempt('fcm', 'push', outcome, ago(1));
  await insertAttempt('fcm', 'push', 'failed', ago(120));
  await insertAttempt('example.com', 'webhook', 'failed', ago(1));
  expect(await readProviders(world.pool, now)).toEqual([{ provider: 'fcm', attempts: 4, faults: 2 }]);
});

async function insertEndpoint(host: string, of: Record<string, unknown> = {}) {
  const id = randomUUID();
  const { failing_since = null, disabled_at = null, disabled_reason = null, deleted_at = null } = of;
  await world.pool.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, created_at, updated_at, failing_since, disabled_at, disabled_reason, deleted_at)
     values ($1, $2, 'live', 'https://' || $3, $3, now(), now(), $4, $5, $6, $7)`,
    [id, project.projectId, host, failing_since, disabled_at, disabled_reason, deleted_at],
  );
  return id;
}
const insertCall = (host: string, endpointId: string | null, attempts: number) =>
  world.pool.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, attempts, run_at, deadline_at, accepted_at)
     values (gen_random_uuid(), 'webhook', $1, gen_random_uuid(), $2, $3, $4, now(), now() + interval '1 day', $5)`,
    [project.projectId, { endpoint_id: endpointId }, { project: project.slug, to: host }, attempts, ago(9)],
  );

test('endpoints that fail, or were disabled for it within a week, with what waits for each; no other', async () => {
  const failing = await insertEndpoint('failing.example', { failing_since: ago(5) });
  await insertCall('failing.example', failing, 1);
  await insertCall('failing.example', failing, 0);
  await insertEndpoint('gone.example', { disabled_at: ago(6 * DAY_MINUTES), disabled_reason: 'gone' });
  await insertEndpoint('long-gone.example', { disabled_at: ago(8 * DAY_MINUTES), disabled_reason: 'gone' });
  await insertEndpoint('off.example', { disabled_at: ago(1), disabled_reason: 'owner' });
  await insertEndpoint('deleted.example', { failing_since: ago(5), deleted_at: ago(1) });
  await insertEndpoint('well.example');
  await insertCall('callback.example', null, 1);
  await insertCall('untried.example', null, 0);
  const found = await readEndpoints(world.pool, now);
  expect(found.map(({ host, stuck }) => [host, stuck])).toEqual([
    ['failing.example', 2],
    ['callback.example', 1],
    ['gone.example', 0],
  ]);
  expect(found[1]).toMatchObject({ endpointId: null, failingSince: ago(9), project: project.slug });
});
