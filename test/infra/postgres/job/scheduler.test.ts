import { expect, test } from 'vitest';
import { schedulerPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { schedulerQueries } from '../../../../infra/postgres/job/scheduler.ts';
import { jobs as registry } from '../../../../domain/jobs.ts';
import { openLine } from '../message/broadcast/open-broadcasts.ts';

const { world, freshChats, jobsOf, scheduled } = await openLine();

test('another project’s message has its turn in the next round, whatever is urgent elsewhere', async () => {
  const [loud, quiet] = [await world.makeCaller(), await world.makeCaller()];
  for (let n = 0; n < 30; n++) await world.sendToChats(loud, freshChats(1), { priority: 'urgent' });
  const { id } = await world.sendToChats(quiet, freshChats(1), { priority: 'bulk' });
  const [job] = await jobsOf(id);
  expect(await scheduled(2)).toContain(job);
});

test('a message that is due later holds no place in the line until then', async () => {
  const [later, now] = [await world.makeCaller(), await world.makeCaller()];
  const sendAt = new Date(Date.now() + 3_600_000);
  const waiting = await world.sendToChats(later, freshChats(1), { sendAt });
  const next = await world.sendToChats(now, freshChats(1));
  const first = await scheduled(100);
  expect(first).toEqual(expect.arrayContaining(await jobsOf(next.id)));
  const [job] = await jobsOf(waiting.id);
  expect(first).not.toContain(job);
  const due = await world.schedulerRound('telegram-message', 100, new Date(sendAt.getTime() + 1));
  expect(due.map(({ jobId }) => jobId)).toContain(job);
});

test('a project for which nothing waits leaves the line, and one that asks for a turn meanwhile stays', async () => {
  const [done, asking] = [await world.makeCaller(), await world.makeCaller()];
  for (const caller of [done, asking]) await world.sendToChats(caller, freshChats(1));
  const [turns] = await Promise.all([
    world.schedulerRound('telegram-message', 400),
    world.sendToChats(asking, freshChats(1)),
  ]);
  const again = await world.schedulerRound('telegram-message', 400);
  expect(turns.length + again.length).toBe(3);
  const { rows } = await world.pool.query('select from scheduler_turn');
  expect(rows).toEqual([]);
});

/** What the planner was told of last, while 1 000 projects wait now. */
const statistics = {
  'of what waits now': ['vacuum analyze job, scheduler_turn'],
  'of one waiting project': ['__one', 'vacuum analyze job, scheduler_turn', '__clear'],
  'of a night in which nothing waited': [
    '__one',
    'update job set scheduled_at = now(), finished_at = now()',
    'vacuum analyze job, scheduler_turn',
  ],
} as const;

/** Rows and index entries that a scheduler reads for each job that it schedules. */
async function readsPerJob(projects: number, room: number, steps: readonly string[]): Promise<number> {
  await world.owner.query('truncate scheduler_turn, outbox, attempt, job cascade');
  const fill = (count: number) =>
    world.pool.query(fillQueue, [count, Math.ceil((room * ROUNDS * 2) / count)]);
  if (!steps.includes('__one')) await fill(projects);
  for (const step of steps) {
    if (step === '__one') await fill(1);
    else if (step === '__clear') await world.owner.query('truncate scheduler_turn, job cascade');
    else await world.owner.query(step);
  }
  if (steps.includes('__one')) await fill(projects);
  const pool = schedulerPool(world.url, 1);
  const reads = async () => {
    await pool.query('select pg_stat_force_next_flush()');
    const { rows } = await pool.query<{ reads: number }>(
      `select (select sum(idx_tup_read) from pg_stat_user_indexes where relname in ('job', 'scheduler_turn'))::int
         + (select sum(seq_tup_read) from pg_stat_user_tables where relname in ('job', 'scheduler_turn'))::int reads`,
    );
    return rows[0]?.reads ?? 0;
  };
  const before = await reads();
  let jobs = 0;
  for (let round = 0; round < ROUNDS; round++)
    jobs += (await schedulerQueries(pool, registry, {}).round('push', room, new Date())).entries.length;
  const after = await reads();
  await pool.end();
  expect(jobs).toBeGreaterThan(room * (ROUNDS - 1));
  return (after - before) / jobs;
}
const ROUNDS = 3;
const fillQueue = `
with projects as (
  insert into project (id, slug, created_at) select uuidv7(), gen_random_uuid()::text, now() from generate_series(1, $1::int) returning id),
turns as (
  insert into scheduler_turn (kind, project_id, served_at, stamp) select 'push', id, now() - interval '1 minute', gen_random_uuid() from projects)
insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
select uuidv7(), 'push', id, uuidv7(), '{}', '{}', now() - interval '1 minute', now() + interval '1 day', now()
from projects cross join generate_series(1, $2::int)`;

test.each(
  Object.keys(statistics).flatMap((name) => [8, 400].map((room) => [name, room] as const)) as [
    keyof typeof statistics,
    number,
  ][],
)(
  'with statistics %s and %i places a round reads a handful of entries for each job, with a thousand waiting projects as with one',
  async (name, room) => {
    const one = await readsPerJob(1, room, statistics[name]);
    const thousand = await readsPerJob(1_000, room, statistics[name]);
    expect(thousand).toBeLessThan(READS_MAX);
    expect(one).toBeLessThan(READS_MAX);
  },
);
/** The job three times (picked, locked, updated) and its turn twice, and the project's next one. */
const READS_MAX = 10;
