import { schedulerPool } from '../../infra/postgres/engine/hot-pool.ts';
import { schedulerQueries } from '../../infra/postgres/job/scheduler.ts';
import { machine } from './support/cpu.ts';
import { type Figure, figure } from './support/figures.ts';
import type { Options } from './support/options.ts';
import { onStage, type Stage } from './support/stage.ts';
import { jobs as registry } from '../../domain/jobs.ts';

const PROJECTS = [1, 1_000] as const;
/** Places: a bot's at Telegram's pace, and a queue of pushes. */
const ROOMS = [8, 400] as const;
const KIND = 'push';
/** Jobs that one measurement schedules. */
const JOBS = 8_000;

/** What the scheduler costs for each job that it schedules, by how many projects wait: CPU of Postgres and of its own process. */
export async function scheduler(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    for (const room of ROOMS) {
      const costs = new Map(PROJECTS.map((projects) => [projects, [] as number[]]));
      for (let round = 1; round <= options.rounds; round++)
        for (const projects of PROJECTS) {
          const cost = await measure(stage, projects, room);
          costs.get(projects)?.push(cost);
          console.error(`round ${round}, ${projects} projects, ${room} places: ${cost} µs (${machine()})`);
        }
      const [few = [], many = []] = [...costs.values()];
      figures.push(
        figure('scheduler', `CPU µs a scheduled job, 1 000 projects against 1, ${room} places`, many, few),
      );
    }
  });
  return figures;
}

async function measure(stage: Stage, projects: number, room: number): Promise<number> {
  await stage.sql.query('truncate job, attempt, scheduler_turn, outbox cascade');
  await stage.sql.query(fill, [projects, Math.ceil((JOBS * 1.5) / projects), KIND]);
  await stage.sql.query('vacuum analyze job');
  const pool = schedulerPool(stage.postgresUrl, 1);
  const schedulerTurns = schedulerQueries(pool, registry, {});
  const cores = stage.watch();
  const startedMs = performance.now();
  let jobs = 0;
  while (jobs < JOBS) {
    const { entries, more } = await schedulerTurns.round(KIND, room, new Date());
    jobs += entries.length;
    if (!more && entries.length === 0) throw new Error(`${jobs} of ${JOBS} were scheduled`);
  }
  const spent = cores();
  const ms = performance.now() - startedMs;
  await pool.end();
  return Math.round(
    (((spent['postgres'] ?? Number.NaN) + (spent['bench'] ?? Number.NaN)) * ms * 1_000) / jobs,
  );
}

const fill = `
with projects as (
  insert into project (id, slug, created_at) select uuidv7(), gen_random_uuid()::text, now() from generate_series(1, $1::int) returning id),
turns as (
  insert into scheduler_turn (kind, project_id, served_at, stamp) select $3, id, now() - interval '1 minute', gen_random_uuid() from projects)
insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
select uuidv7(), $3, id, uuidv7(), '{}', '{}', now() - interval '1 minute', now() + interval '1 day', now()
from projects cross join generate_series(1, $2::int)`;
