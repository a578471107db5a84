import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endHeartbeat, heartbeat } from '../../../../infra/postgres/job/heartbeats.ts';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

const start = new Date('2026-01-15T10:00:00Z');
const after = (minutes: number) => new Date(start.getTime() + minutes * 60_000);
const process = () => ({ id: randomUUID(), roles: ['push'], reconciledAt: null });
const seen = async () =>
  (await world.pool.query<{ id: string; at: Date }>('select id, at from worker_heartbeat')).rows;

test('a process has one row however often it beats, and none once it ended in order', async () => {
  const one = process();
  await heartbeat(world.pool, one, start);
  await heartbeat(world.pool, { ...one, reconciledAt: after(1) }, after(1));
  expect(await seen()).toEqual([{ id: one.id, at: after(1) }]);
  await endHeartbeat(world.pool, one.id);
  expect(await seen()).toEqual([]);
});

test('a process that died is forgotten an hour later, by whoever beats then, and not before', async () => {
  const [dead, living] = [process(), process()];
  await heartbeat(world.pool, dead, start);
  await heartbeat(world.pool, living, after(60));
  expect((await seen()).map(({ id }) => id)).toContain(dead.id);
  await heartbeat(world.pool, living, after(61));
  expect(await seen()).toEqual([{ id: living.id, at: after(61) }]);
});
