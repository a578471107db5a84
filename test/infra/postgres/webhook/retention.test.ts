import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGround } from '../world.ts';

const DAY_MS = 86_400_000;
let world: Awaited<ReturnType<typeof openGround>>;
let projectId: string;
beforeAll(async () => {
  world = await openGround();
  projectId = (await world.makeProject()).projectId;
});
afterAll(() => world.close());

const days = (count: number) => new Date(Date.now() - count * DAY_MS);
const retire = () => world.reconciler.retire(new Date(), { jobDays: 30, phoneDays: 7 });

async function insertEvent(happenedAt: Date, mode: 'live' | 'test' = 'live'): Promise<string> {
  const id = randomUUID();
  await world.pool.query(
    `insert into webhook_event (id, project_id, mode, type, subject_id, data, happened_at) values ($1, $2, $3, 'test', $1, '{}', $4)`,
    [id, projectId, mode, happenedAt],
  );
  return id;
}
const insertEndpoint = async (deletedAt: Date | null) => {
  const id = randomUUID();
  await world.pool.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, created_at, updated_at, deleted_at)
     values ($1, $2, 'live', 'https://example.com/', 'example.com', now(), now(), $3)`,
    [id, projectId, deletedAt],
  );
  return id;
};
const leftOf = async (table: string, ids: readonly string[]) =>
  (await world.pool.query<{ id: string }>(`select id from ${table} where id = any($1)`, [ids])).rows.map(
    ({ id }) => id,
  );

test('an event leaves after its days, one of a test key after one, and neither before the last of its calls', async () => {
  const [old, testOld, called, young, testYoung] = [
    await insertEvent(days(31)),
    await insertEvent(days(2), 'test'),
    await insertEvent(days(31)),
    await insertEvent(days(29)),
    await insertEvent(days(0.9), 'test'),
  ];
  await world.pool.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
     values (gen_random_uuid(), 'webhook', $1, $2, '{}', '{}', now(), now() + interval '1 day', now())`,
    [projectId, called],
  );
  await retire();
  expect((await leftOf('webhook_event', [old, testOld, called, young, testYoung])).toSorted()).toEqual(
    [called, young, testYoung].toSorted(),
  );
});

test('a deleted endpoint leaves thirty days later, and one that stands never', async () => {
  const [old, fresh, standing] = [
    await insertEndpoint(days(31)),
    await insertEndpoint(days(29)),
    await insertEndpoint(null),
  ];
  await retire();
  expect((await leftOf('webhook_endpoint', [old, fresh, standing])).toSorted()).toEqual(
    [fresh, standing].toSorted(),
  );
});
