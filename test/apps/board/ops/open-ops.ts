import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeEach } from 'vitest';
import { heartbeat } from '../../../../infra/postgres/job/heartbeats.ts';
import { openBoard, type SessionOwner } from '../open-board.ts';
import { seedJob, type SeedJob, seedProject } from '../seed.ts';

export const PHONE = '+998901234567';
export const OTHER_PHONE = '+998977654321';
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** Every role has a worker: nothing to raise an alarm for. */
const everything = { roles: ['otp-send', 'telegram-message', 'push', 'webhook', 'reconciler'] };

/** All that there is of projects, but for tables that nobody may empty: nothing is written to them here. */
const emptyProjects = `do $$ begin
  execute (select 'truncate job, attempt, outbox, queue, worker_heartbeat, ' || string_agg(distinct conrelid::regclass::text, ', ') || ' cascade'
    from pg_constraint where confrelid = 'project'::regclass
      and not exists (select from pg_trigger where tgrelid = conrelid and tgtype & 32 <> 0));
  delete from project;
end $$`;

/** A board of this file's own with two projects and their staff; every test of the file begins without jobs. */
export async function openOps() {
  const board = await openBoard();
  const operator = await board.session('operator');
  const viewer = await board.session('viewer');
  const [shop, taxi] = [uuidv7(), uuidv7()];
  afterAll(() => board.close());
  beforeEach(async () => {
    await board.owner.query(emptyProjects);
    await board.queues.redis.flushdb();
    await seedProject(board.pool, 'shop', { id: shop });
    await seedProject(board.pool, 'taxi', { id: taxi });
    await heartbeat(
      board.pool,
      { ...everything, id: uuidv7(), reconciledAt: board.time.now },
      board.time.now,
    );
  });
  const ago = (milliseconds: number) => new Date(board.time.now.getTime() - milliseconds);
  const seed = (job: Partial<SeedJob> = {}, project: 'shop' | 'taxi' = 'shop') =>
    seedJob(board.pool, project === 'shop' ? shop : taxi, board.addressHash(job.phone ?? PHONE), {
      project,
      at: ago(1_000),
      ...job,
    });
  /** Where one field for everything leads. */
  const search = async (q: string) => (await viewer.post('/ops/search', { q })).headers['location'];
  const statesOf = async () => {
    const { rows } = await board.pool.query<{ state: string; n: number }>(
      'select state, count(*)::int n from job group by state',
    );
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  };
  /** A page as a person sees it, on one line. */
  const text = async (path: string, owner: SessionOwner = operator) =>
    (await owner.get(path).set('Accept', 'text/html')).text.replaceAll(/\s+/g, ' ');
  return { board, operator, viewer, shop, ago, seed, search, statesOf, text };
}

export const ids = (list: { data: { id: string }[] }) => list.data.map(({ id }) => id);
