import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRailWorld } from '../reconcile/rail-world.ts';

/** So many that reading them all is plainly worse than an index. */
const LINES = 20_000;

let world: Awaited<ReturnType<typeof openRailWorld>>;
beforeAll(async () => {
  world = await openRailWorld();
  const { rows } = await world.owner.query<{ id: string }>(
    `insert into statement (project_id, rail, from_at, to_at, at) values ($1, 'multicard', now(), now(), now()) returning id`,
    [world.projectId],
  );
  await world.owner.query(
    `insert into statement_line (project_id, rail, key, statement_id, direction, amount, commission, at, bucket, decided_at)
     select $1, 'multicard', 'line-' || n, $2, 'out', 1, 0, now(), 'only-theirs', now() from generate_series(1, $3::int) n`,
    [world.projectId, rows[0]?.id, LINES],
  );
  await world.owner.query(
    `insert into difference (project_id, rail, bucket, subject, amount, found_at)
     select $1, 'multicard', 'only-theirs', 'line-' || n, 1, now() from generate_series(1, $2::int) n`,
    [world.projectId, LINES],
  );
  await world.owner.query('analyze statement_line, difference');
});
afterAll(() => world.close());

test.each([
  ['statement_line', 'select from statement_line where payout_id = any (array[$1]::uuid[])'],
  [
    'difference',
    'select from difference d where d.payout_id = any (array[$1]::uuid[]) or d.dispatch_id = any (array[$1]::uuid[])',
  ],
])('of a payment the rows of %s are found by an index, as `explain` asks for them', async (table, sql) => {
  const { rows } = await world.pool.query<{ 'QUERY PLAN': string }>(`explain ${sql}`, [randomUUID()]);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).not.toContain(`Seq Scan on ${table}`);
});
