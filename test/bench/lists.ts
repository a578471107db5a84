import { Client } from 'pg';
import { type JobKind, jobKinds } from '../../domain/jobs.ts';
import type { ProjectId } from '../../domain/shared/ids.ts';
import { jobsQuery, jobsWhere } from '../../infra/postgres/job/queries.ts';
import { openOrm } from '../../infra/postgres/engine/orm.ts';
import { machine } from './support/cpu.ts';
import { type Figure, figure } from './support/figures.ts';
import type { Options } from './support/options.ts';
import { seedProjects } from './support/seed.ts';
import { onStage } from './support/stage.ts';

/** Must show 6 of issue 7: a project of so many jobs, and no job of the kind that is asked for. */
const JOBS = 500_000;
const KIND: JobKind = 'webhook';
const [ABSENT] = jobKinds.filter((kind) => kind !== KIND);
/** As `GET /jobs` reads where no `limit` is given, and one more to tell whether there is a next page. */
const PAGE = 51;
const WARM = 20;

interface Explained {
  readonly 'Planning Time': number;
  readonly 'Execution Time': number;
}

/** What Postgres takes for `GET /jobs?kind=`, by its own clock: the first time on a new connection, and from then on. */
export async function lists(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async ({ sql, env, postgresUrl }) => {
    const [project] = await seedProjects(sql, env['PEPPER'] ?? '', 1);
    if (!project) throw new Error('no project');
    await sql.query(fill, [project.id, KIND, JOBS]);
    await sql.query('vacuum analyze job');
    const orm = await openOrm(postgresUrl);
    for (const kind of [ABSENT, KIND].filter((one) => one !== undefined)) {
      const of = { projectId: project.id as ProjectId, mode: 'live' } as const;
      const query = jobsQuery(orm.em.fork(), jobsWhere(of, { kind }, null, null), PAGE).getFormattedQuery();
      const first: number[] = [];
      const warm: number[] = [];
      for (let round = 0; round < options.rounds; round++) {
        const [one = Number.NaN, ...others] = await times(postgresUrl, query);
        first.push(one);
        warm.push(...others);
      }
      const what = kind === ABSENT ? 'no job has' : 'all jobs have';
      figures.push(
        figure('lists', `ms of Postgres, a kind that ${what}, the first time`, first),
        figure('lists', `ms of Postgres, a kind that ${what}, warm`, warm),
      );
    }
    await orm.close(true);
    console.error(machine());
  });
  return figures;
}

async function times(postgresUrl: string, query: string): Promise<number[]> {
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  const ms: number[] = [];
  for (let run = 0; run <= WARM; run++) {
    const { rows } = await client.query<{ 'QUERY PLAN': Explained[] }>(
      `explain (analyze, format json) ${query}`,
    );
    const [plan] = rows[0]?.['QUERY PLAN'] ?? [];
    ms.push((plan?.['Planning Time'] ?? Number.NaN) + (plan?.['Execution Time'] ?? Number.NaN));
  }
  await client.end();
  return ms;
}

const fill = `
insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at, state, finished_at, attempts)
select uuidv7(), $2, $1, uuidv7(), '{}', '{}', now(), now() + interval '1 day', now(), 'completed', now(), 1 from generate_series(1, $3::int)`;
