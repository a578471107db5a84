import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stuckJobs } from '../../../../infra/postgres/job/stuck.ts';
import { openGround } from '../world.ts';

const PAGE_ROWS = 1_000;
let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

const now = new Date();
const insertJobs = async (projectId: string, count: number) => {
  const ids = Array.from({ length: count }, () => uuidv7());
  await world.pool.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
     select id, 'webhook', $1, gen_random_uuid(), '{}', '{}', $3, now() + interval '1 day', $3 from unnest($2::uuid[]) id`,
    [projectId, ids, now],
  );
  await world.pool.query('delete from turn_request; delete from scheduler_turn');
};
const turns = async () =>
  (await world.pool.query<{ project_id: string }>('select project_id from scheduler_turn')).rows;

test('a project whose turn was lost gets it back, once, and one that was served a moment ago keeps its place', async () => {
  const [{ projectId }, { projectId: served }] = [await world.makeProject(), await world.makeProject()];
  await insertJobs(projectId, 1);
  await insertJobs(served, 1);
  await world.pool.query(
    `insert into scheduler_turn (kind, project_id, served_at, stamp) values ('webhook', $1, $2::timestamptz + interval '50 s', gen_random_uuid())`,
    [served, now],
  );
  const round = stuckJobs(world.pool, {});
  expect(await round(now)).toBe(1);
  expect((await turns()).map(({ project_id }) => project_id).toSorted()).toEqual(
    [projectId, served].toSorted(),
  );
  expect(await round(now)).toBe(0);
});

test('a round looks at one page; the next goes on behind it, and then begins anew', async () => {
  await world.pool.query('delete from job');
  const [{ projectId }, { projectId: behind }] = [await world.makeProject(), await world.makeProject()];
  await insertJobs(projectId, PAGE_ROWS);
  await insertJobs(behind, 1);
  const round = stuckJobs(world.pool, {});
  expect(await round(now)).toBe(PAGE_ROWS);
  expect(await round(now)).toBe(1);
  expect((await turns()).map(({ project_id }) => project_id)).toContain(behind);
  await world.pool.query('delete from scheduler_turn');
  expect(await round(now)).toBe(PAGE_ROWS);
});
