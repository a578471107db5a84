import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { liveStates } from '../../../../infra/postgres/verify/live-states.ts';
import { openWorld, orderFor, sendCode, type World } from './world.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject();
});
afterAll(() => world.close());

test('a state is its own project’s and mode’s to see, and a code past its life has expired', async () => {
  const { id } = await sendCode(world, orderFor(caller, '+998931000000'));
  const other = await world.makeProject();
  const states = liveStates(world.pool);
  const now = new Date();
  expect(await states.find(caller.projectId, 'live', id, now)).toMatchObject({ id, status: 'live' });
  expect(await states.find(other.projectId, 'live', id, now)).toBeNull();
  expect(await states.find(caller.projectId, 'test', id, now)).toBeNull();
  const later = new Date(now.getTime() + 3_600_000);
  expect(await states.find(caller.projectId, 'live', id, later)).toMatchObject({ status: 'expired' });
});

test('a push is told of only where the project knows the person who was asked', async () => {
  const { id, jobId } = await sendCode(world, orderFor(caller, '+998931010000'));
  const personId = randomUUID();
  await world.pool.query('insert into person (id, created_at) values ($1, now())', [personId]);
  await world.pool.query(
    `insert into challenge (id, job_id, verification_id, project_id, person_id, created_at, expires_at)
     values (gen_random_uuid(), $1, $2, $3, $4, now(), now() + interval '5 minutes')`,
    [jobId, id, caller.projectId, personId],
  );
  const states = liveStates(world.pool);
  expect(await states.read([id], new Date())).toMatchObject([{ id, approval: null }]);
  await world.pool.query(
    `insert into recipient (id, project_id, person_id, handle, address_hash, created_at, updated_at)
     values (gen_random_uuid(), $1, $2, 'known', 'known', now(), now())`,
    [caller.projectId, personId],
  );
  expect(await states.read([id], new Date())).toMatchObject([{ id, approval: { answeredAt: null } }]);
});
