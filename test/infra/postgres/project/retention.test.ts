import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

test('the answer to an idempotency key is kept for a day and no longer', async () => {
  const { projectId } = await world.makeProject();
  await world.pool.query(
    `insert into request (project_id, key, body_hash, answer, at) values
       ($1, 'old', '', '{}', now() - interval '25 hours'), ($1, 'young', '', '{}', now() - interval '23 hours')`,
    [projectId],
  );
  await world.reconciler.retire(new Date(), { jobDays: 30, phoneDays: 7 });
  const { rows } = await world.pool.query('select key from request where project_id = $1', [projectId]);
  expect(rows).toEqual([{ key: 'young' }]);
});
