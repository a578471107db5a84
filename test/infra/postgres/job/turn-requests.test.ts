import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerCalls } from '../../../../infra/postgres/job/turn-requests.ts';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

const now = new Date('2026-01-15T10:00:00Z');
const call = (kind: string, projectId: string) =>
  world.pool.query('insert into turn_request (kind, project_id) values ($1, $2)', [kind, projectId]);
const turnOf = async (projectId: string) =>
  (
    await world.pool.query<{ served_at: Date; stamp: string }>(
      'select served_at, stamp from scheduler_turn where project_id = $1',
      [projectId],
    )
  ).rows;

test('a project that called three times has one turn, and calls of another kind wait for theirs', async () => {
  const [{ projectId: one }, { projectId: other }] = [await world.makeProject(), await world.makeProject()];
  for (const id of [one, one, one, other]) await call('webhook', id);
  await call('push', one);
  await answerCalls(world.pool, 'webhook', now);
  expect(await turnOf(one)).toMatchObject([{ served_at: now }]);
  expect(await turnOf(other)).toHaveLength(1);
  const { rows } = await world.pool.query('select kind from turn_request');
  expect(rows).toEqual([{ kind: 'push' }]);
});

test('a turn that comes sooner is not put off, one that sleeps comes now, and both get a new stamp', async () => {
  const sooner = new Date(now.getTime() - 60_000);
  const [{ projectId: early }, { projectId: asleep }] = [
    await world.makeProject(),
    await world.makeProject(),
  ];
  const stamps = [randomUUID(), randomUUID()];
  await world.pool.query(
    `insert into scheduler_turn (kind, project_id, served_at, stamp) values ('webhook', $1, $2, $3), ('webhook', $4, 'infinity', $5)`,
    [early, sooner, stamps[0], asleep, stamps[1]],
  );
  await call('webhook', early);
  await call('webhook', asleep);
  await answerCalls(world.pool, 'webhook', now);
  const [first, second] = [(await turnOf(early))[0], (await turnOf(asleep))[0]];
  expect([first?.served_at, second?.served_at]).toEqual([sooner, now]);
  expect(stamps).not.toContain(first?.stamp);
  expect(stamps).not.toContain(second?.stamp);
});
