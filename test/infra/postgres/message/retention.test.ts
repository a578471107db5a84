import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGround } from '../world.ts';

const DAY_MS = 86_400_000;
const days = (count: number) => new Date(Date.now() - count * DAY_MS);

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

test('retention forgets the words of messages whose jobs have left; a dedupe key holds', async () => {
  const caller = await world.makeProject();
  const insert = (at: Date, key: string | null) =>
    world.pool.query<{ id: string }>(
      `insert into broadcast (id, project_id, kind, mode, content, state, total, send_at, expires_at, dedupe_key, created_at, finished_at)
       values (gen_random_uuid(), $1, 'push', 'live', '{"text":"salom"}', 'finished', 1, $2, $2, $3, $2, $2) returning id`,
      [caller.projectId, at, key],
    );
  await insert(days(40), null);
  await insert(days(40), 'order-1');
  await insert(days(20), null);
  const { rows } = await insert(days(40), null);
  await world.pool.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
     values (gen_random_uuid(), 'push', $1, $2, '{}', '{}', now(), now() + interval '1 day', now())`,
    [caller.projectId, rows[0]?.id],
  );
  await world.reconciler.retire(new Date(), { jobDays: 30, phoneDays: 7 });
  expect(
    (
      await world.pool.query(
        'select dedupe_key, content from broadcast order by created_at, dedupe_key nulls last',
      )
    ).rows,
  ).toEqual([
    { dedupe_key: 'order-1', content: {} },
    { dedupe_key: null, content: { text: 'salom' } },
    { dedupe_key: null, content: { text: 'salom' } },
  ]);
});
