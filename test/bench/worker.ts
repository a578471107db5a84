import { makeWorkerUtils } from 'graphile-worker';
import { otpSend } from '../../domain/verify/job.ts';
import { type Cores, machine } from './support/cpu.ts';
import { type Figure, figure, median } from './support/figures.ts';
import { addAllEntries, seedJobs } from './support/jobs.ts';
import type { Options } from './support/options.ts';
import { type Project, seedProjects } from './support/seed.ts';
import { onStage, type Stage } from './support/stage.ts';
import { WorkerReport } from './support/worker-process.ts';

/** The queue's own: the others are given the same. */
const CONCURRENCY = otpSend.concurrency;
/** Jobs a second that each turn is dealt for; whoever is faster is through sooner. */
const JOBS_PER_SECOND = 8_000;
/** Done before the clock starts: code is compiled, pools are filled. */
const WARMUP_JOBS = 4_000;
const TURN_TIMEOUT_MS = 300_000;

interface Round {
  readonly perSecond: number;
  readonly cores: Cores;
}
interface Contender {
  readonly name: string;
  readonly file: string;
  readonly database: number;
  readonly databaseUrl: string;
  readonly fill: (count: number) => Promise<void>;
  /** Throws where a job has no result, or more than one. */
  readonly check: (count: number) => Promise<void>;
}

/** Jobs a second with every attempt and result recorded, against BullMQ that does nothing, and graphile-worker writing a row a job. */
export async function worker(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    const [project] = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', 1);
    if (!project) throw new Error('no project');
    const contenders = [queue(stage, project), noop(stage, project), await graphile(stage)];
    const rounds = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 1; round <= options.rounds; round++)
      for (const contender of contenders) {
        const result = await turn(stage, contender);
        rounds.get(contender.name)?.push(result);
        console.error(`round ${round} ${contender.name}: ${JSON.stringify(result)} (${machine()})`);
      }
    figures.push(...figuresOf(rounds));
  });
  return figures;
}

function figuresOf(rounds: ReadonlyMap<string, readonly Round[]>): Figure[] {
  const rates = (name: string) => (rounds.get(name) ?? []).map(({ perSecond }) => perSecond);
  const others = [...rounds.values()].flat().map(({ cores }) => cores['others'] ?? Number.NaN);
  return [
    figure(
      'worker',
      `jobs/s recorded, against BullMQ doing nothing, concurrency ${CONCURRENCY}`,
      rates('queue'),
      rates('noop'),
    ),
    figure(
      'worker',
      `jobs/s recorded, against graphile-worker with a row a job, concurrency ${CONCURRENCY}`,
      rates('queue'),
      rates('graphile'),
    ),
    figure('worker', 'cores busy with other work of the machine', [median(others)]),
  ];
}

async function turn(
  stage: Stage,
  { name, file, database, databaseUrl, fill, check }: Contender,
): Promise<Round> {
  const jobs = stage.options.seconds * JOBS_PER_SECOND;
  const total = WARMUP_JOBS + jobs;
  await fill(total);
  const cpu = stage.watch();
  const child = await stage.start(name, file, {
    REDIS_URL: stage.redisUrl(database),
    DATABASE_URL: databaseUrl,
    BENCH_WARMUP: String(WARMUP_JOBS),
    BENCH_JOBS: String(jobs),
    BENCH_CONCURRENCY: String(CONCURRENCY),
  });
  const { seconds } = WorkerReport.parse(await child.answer(TURN_TIMEOUT_MS));
  const cores = cpu();
  await stage.stopChild(name);
  await check(total);
  return { perSecond: jobs / seconds, cores };
}

function queue(stage: Stage, project: Project): Contender {
  return {
    name: 'queue',
    file: 'test/bench/engine-worker/main.ts',
    database: 0,
    databaseUrl: stage.postgresUrl,
    fill: (count) => fillEntries(stage, project, count, 0),
    check: async (count) => {
      const { rows } = await stage.sql.query<Record<string, number>>(countRecorded);
      if (Object.values(rows[0] ?? {}).some((found) => found !== count))
        throw new Error(`${count} jobs, yet ${JSON.stringify(rows[0])}`);
    },
  };
}

/** One attempt each, closed as completed, of a job that is completed: whatever is told twice or not at all shows. */
const countRecorded = `
select (select count(*)::int from job where state = 'completed' and finished_at is not null and attempts = 1) jobs,
  (select count(*)::int from attempt) attempts, (select count(*)::int from attempt where outcome = 'completed' and n = 1) completed`;

function noop(stage: Stage, project: Project): Contender {
  return {
    name: 'noop',
    file: 'test/bench/noop-worker/main.ts',
    database: 1,
    databaseUrl: stage.postgresUrl,
    fill: (count) => fillEntries(stage, project, count, 1),
    check: async () => {
      const left = await stage.redis(1).llen('{otp-send}:otp-send:wait');
      if (left !== 0) throw new Error(`${left} queue entries left`);
    },
  };
}

async function fillEntries(stage: Stage, project: Project, count: number, database: number): Promise<void> {
  const redis = stage.redis(database);
  await redis.flushdb();
  await seedJobs(stage, project, count, '0');
  await addAllEntries(stage.sql, redis);
}

async function graphile(stage: Stage): Promise<Contender> {
  const utils = await makeWorkerUtils({ connectionString: stage.ownerUrl });
  await utils.migrate();
  await utils.release();
  await stage.sql.query(
    'create table bench_result (job_id bigint primary key, number int not null, outcome text not null, at timestamptz not null)',
  );
  return {
    name: 'graphile',
    file: 'test/bench/graphile-worker/main.ts',
    database: 0,
    // The tables are its own.
    databaseUrl: stage.ownerUrl,
    fill: async (count) => {
      await stage.sql.query('truncate bench_result');
      await stage.sql.query('checkpoint');
      await stage.sql.query(addGraphileJobs, [count]);
      await stage.sql.query('vacuum analyze');
    },
    check: async (count) => {
      const { rows } = await stage.sql.query<{ results: number }>(
        'select count(*)::int results from bench_result',
      );
      if (rows[0]?.results !== count) throw new Error(`${count} jobs, yet ${rows[0]?.results} results`);
    },
  };
}

const addGraphileJobs = `
select count(*) from graphile_worker.add_jobs((
  select array_agg(row('result', json_build_object('n', n), null, null, null, null, null, null)::graphile_worker.job_spec)
  from generate_series(1, $1::int) n))`;
