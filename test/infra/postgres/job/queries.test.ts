import type { MikroORM } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProjectId } from '../../../../domain/shared/ids.ts';
import type { JobFilter } from '../../../../domain/job/port.ts';
import { jobsQuery, jobsWhere } from '../../../../infra/postgres/job/queries.ts';
import { type Ground, makeProject, openGround } from '../../../support/api.ts';

/** A page of fifty and what leads to it; the tables here have tens of thousands of blocks. */
const BLOCKS_MAX = 400;
const ROWS = 60_000;

let ground: Ground;
let pool: pg.Pool;
let orm: MikroORM;
let quiet: ProjectId;
let busy: ProjectId;

beforeAll(async () => {
  ground = await openGround();
  ({ pool, orm } = ground);
  quiet = (await makeProject(ground, 'quiet')).project.id;
  busy = (await makeProject(ground, 'busy')).project.id;
  // The quiet one's jobs are older than all of the busy one's, as many as make the planner hope for them everywhere.
  await pool.query(seedJobs, [quiet, ROWS / 4, 0]);
  await pool.query(seedJobs, [busy, ROWS, ROWS / 4]);
  await ground.owner.query('analyze job');
});
afterAll(() => ground.close());

const seedJobs = `
insert into job (id, kind, project_id, subject_id, mode, payload, labels, state, run_at, deadline_at, accepted_at, finished_at, scheduled_at)
select uuidv7(((n - $3 - 1000000) || ' seconds')::interval), 'otp-send', $1, gen_random_uuid(), 'live', '{}', '{}',
  case when n % 3 = 0 then 'queued' else 'completed' end, now(), now(), now(), case when n % 3 = 0 then null else now() end, now()
from (select g + $3::int + $3::int n from generate_series(1, $2::int) g) s`;

interface Plan {
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
}

async function blocksOf(sql: string, values: readonly unknown[] = []): Promise<number> {
  const { rows } = await pool.query<{ 'QUERY PLAN': readonly [{ Plan: Plan }] }>(
    `explain (analyze, buffers, format json) ${sql}`,
    [...values],
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  return (plan?.['Shared Hit Blocks'] ?? Infinity) + (plan?.['Shared Read Blocks'] ?? Infinity);
}

const jobBlocks = (projectId: ProjectId, filter: Partial<JobFilter>) =>
  blocksOf(
    jobsQuery(
      orm.em.fork(),
      jobsWhere({ projectId, mode: 'live' }, filter as JobFilter, null, null),
      51,
    ).getFormattedQuery(),
  );

test.for([
  ['all jobs of a project behind others', () => jobBlocks(quiet, {})],
  ['a kind that the project never had', () => jobBlocks(busy, { kind: 'push' })],
  ['a kind that all have', () => jobBlocks(quiet, { kind: 'otp-send' })],
  ['what waits in one project', () => jobBlocks(quiet, { state: 'queued' })],
  ['what failed, where nothing did', () => jobBlocks(busy, { state: 'rejected' })],
  ['a day long ago', () => jobBlocks(busy, { kind: 'push', to: new Date('2026-01-01') })],
] as const)('a page of %s reads few blocks of the table, whatever stands beside it', async ([, blocks]) => {
  expect(await blocks()).toBeLessThan(BLOCKS_MAX);
});
