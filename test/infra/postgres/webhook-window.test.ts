import { expect, test } from 'vitest';
import { release } from '../../../infra/postgres/job/release.ts';
import { webhookBench } from '../../workers/webhook-bench.ts';

const IN_HAND_MAX = 24;
const ROOM = 800;

test('however large its backlog, a project has few calls in hand; those that sleep or have ended make room, and others wait for none of it', async () => {
  const bench = await webhookBench({ now: () => new Date() });
  const { pool } = bench;
  const busy = await bench.addProject();
  await bench.addEndpoint(busy, 'https://example.com/busy');
  await bench.emit(busy, 500);
  const run = release(pool);
  const releasedOnce = async () => {
    const { tickets, more } = await run('webhook', ROOM, 0, new Date());
    return { ids: tickets.map(({ jobId }) => jobId), more };
  };
  const first = await releasedOnce();
  expect(first.ids).toHaveLength(IN_HAND_MAX);
  expect(await releasedOnce()).toEqual({ ids: [], more: true });

  const other = await bench.addProject();
  await bench.addEndpoint(other, 'https://example.com/other');
  await bench.emit(other, 3);
  expect((await releasedOnce()).ids).toHaveLength(3);

  await pool.query(`update job set run_at = now() + interval '1 second' where id = any($1)`, [
    first.ids.slice(0, 10),
  ]);
  expect((await releasedOnce()).ids).toHaveLength(10);
  await pool.query(`update job set state = 'completed', finished_at = now() where id = any($1)`, [
    first.ids.slice(10, 15),
  ]);
  expect((await releasedOnce()).ids).toHaveLength(5);
});
