import { expect, onTestFinished, test } from 'vitest';
import { schedulerPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { schedulerQueries } from '../../../../infra/postgres/job/scheduler.ts';
import { webhookBench } from '../../../workers/webhook/bench.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { linesOf } from '../../../../infra/postgres/settles.ts';

const IN_HAND_MAX = 64;
const ROOM = 800;
const lines = linesOf({ chatGapMs: 0 });

test('however large its backlog, a project has few calls in hand; those that sleep or have ended make room, and others wait for none of it', async () => {
  const bench = await webhookBench({ now: () => new Date() });
  const { pool } = bench;
  const busy = await bench.addProject();
  await bench.addEndpoint(busy, 'https://example.com/busy');
  await bench.emit(busy, 500);
  const scheduler = schedulerQueries(pool, jobs, lines);
  const scheduledOnce = async () => {
    const { entries, more } = await scheduler.round('webhook', ROOM, new Date());
    return { ids: entries.map(({ jobId }) => jobId), more };
  };
  const first = await scheduledOnce();
  expect(first.ids).toHaveLength(IN_HAND_MAX);
  expect(await scheduledOnce()).toEqual({ ids: [], more: true });

  const other = await bench.addProject();
  await bench.addEndpoint(other, 'https://example.com/other');
  await bench.emit(other, 3);
  expect((await scheduledOnce()).ids).toHaveLength(3);

  await pool.query(`update job set run_at = now() + interval '1 second' where id = any($1)`, [
    first.ids.slice(0, 10),
  ]);
  expect((await scheduledOnce()).ids).toHaveLength(10);
  await pool.query(`update job set state = 'completed', finished_at = now() where id = any($1)`, [
    first.ids.slice(10, 15),
  ]);
  expect((await scheduledOnce()).ids).toHaveLength(5);
});

const BACKLOG = 3_000;

test('a round reads what it lets out, and not the backlog behind it, whatever the planner knows of the table', async () => {
  const bench = await webhookBench({ now: () => new Date() });
  const project = await bench.addProject();
  await bench.addEndpoint(project, 'https://example.com/');
  await bench.emit(project, BACKLOG);
  const pool = schedulerPool(String(bench.pool.options.connectionString), 1);
  onTestFinished(() => pool.end());
  const rowsRead = async () => {
    await pool.query('select pg_stat_force_next_flush()');
    const { rows } = await bench.pool.query<{ read: string }>(
      `select coalesce(idx_tup_fetch, 0) + seq_tup_read read from pg_stat_user_tables where relname = 'job'`,
    );
    return Number(rows[0]?.read);
  };
  const before = await rowsRead();
  const { entries } = await schedulerQueries(pool, jobs, lines).round('webhook', ROOM, new Date());
  expect(entries).toHaveLength(IN_HAND_MAX);
  expect((await rowsRead()) - before).toBeLessThan(BACKLOG / 3);
});
