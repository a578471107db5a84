import { reconciler as reconcilerOf } from '../../workers/engine/reconciler.ts';
import { hotPool } from '../../infra/postgres/engine/hot-pool.ts';
import { reconcilerQueries } from '../../infra/postgres/job/reconciler.ts';
import { closeQueues, openQueues, producerRedis } from '../../infra/queue/queues.ts';
import { reconcilerRedis } from '../../infra/queue/reconciler-redis.ts';
import type { DueEntry } from '../../infra/queue/entries.ts';
import { type Cores, machine } from './support/cpu.ts';
import { type Figure, figure } from './support/figures.ts';
import { addAllEntries, seedJobs } from './support/jobs.ts';
import type { Options } from './support/options.ts';
import { seedProjects } from './support/seed.ts';
import { onStage, type Stage } from './support/stage.ts';
import { jobs } from '../../domain/jobs.ts';
import { settles } from '../../infra/postgres/settles.ts';
import { retentions } from '../../infra/postgres/retentions.ts';

/** Longer than the bench runs: nothing becomes due meanwhile. */
const DUE_IN = '6 hours';
/** Ticks whose median is told; a reconciler makes one a second. */
const TICKS = 50;
/** Queue entries taken away before the audit, which must find each of them: a number that no page size divides. */
const LOST = 993;
const DELAYED_KEY = '{otp-send}:otp-send:delayed';
/** Retention beyond the bench. */
const KEEP = { jobDays: 30, phoneDays: 7 };

interface Cost {
  readonly ms: number;
  readonly cores: Cores;
}

/** What the reconciler costs while `rows` jobs legitimately wait, each with its queue entry in Redis; one process, the bench's own. */
export async function reconciler(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    const [project] = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', 1);
    if (!project) throw new Error('no project');
    await seedJobs(stage, project, options.rows, DUE_IN);
    await addAllEntries(stage.sql, stage.redis(0));
    figures.push(...(await measure(stage, options.rows)));
  });
  return figures;
}

async function measure(stage: Stage, count: number): Promise<Figure[]> {
  const pool = hotPool(stage.postgresUrl, 1);
  const queues = openQueues(
    producerRedis(stage.redisUrl(0), (error) => console.error(error)),
    jobs,
  );
  try {
    const bench = new ReconcilerBench(stage, count, wire(pool, queues));
    return [...(await bench.ticks()), ...(await bench.audit()), ...(await bench.reissue())];
  } finally {
    await closeQueues(queues);
    await pool.end();
  }
}

/** As `workers/main.ts` does. */
function wire(pool: ReturnType<typeof hotPool>, queues: ReturnType<typeof openQueues>) {
  const queries = reconcilerQueries(pool, { jobs, settles, retentions });
  return reconcilerOf<DueEntry>(
    { ...queries, ...reconcilerRedis(queues), retire: (now: Date) => queries.retire(now, KEEP) },
    () => new Date(),
  );
}

class ReconcilerBench {
  readonly #stage: Stage;
  readonly #count: number;
  readonly #reconciler: ReturnType<typeof wire>;

  constructor(stage: Stage, count: number, reconciler: ReturnType<typeof wire>) {
    this.#stage = stage;
    this.#count = count;
    this.#reconciler = reconciler;
  }

  async ticks(): Promise<Figure[]> {
    // The first tick of a new Redis compares everything.
    const first = await this.#cost(() => this.#reconciler.tick());
    if (first.result.reissued !== 0)
      throw new Error(`${first.result.reissued} re-issued, though none was lost`);
    const ms: number[] = [];
    const spent = await this.#cost(async () => {
      for (let tick = 0; tick < TICKS; tick++) {
        const startedMs = performance.now();
        await this.#reconciler.tick();
        ms.push(performance.now() - startedMs);
      }
    });
    return [
      ...costs('first comparison of all with all', first),
      figure('reconciler', `ms a tick, ${this.#count} rows waiting`, ms),
      ...cpuMs('a tick', spent, TICKS),
    ];
  }

  /** Ticks until every row was looked at, one after the other in place of one a second. */
  async audit(): Promise<Figure[]> {
    const redis = this.#stage.redis(0);
    const lost = await redis.zrandmember(DELAYED_KEY, LOST);
    await redis.zrem(DELAYED_KEY, ...lost);
    await redis.del(...lost.map((id) => `{otp-send}:otp-send:${id}`));
    let found = 0;
    const spent = await this.#cost(async () => {
      for (let rows = 0; rows <= this.#count; rows += 1_000)
        found += (await this.#reconciler.tick()).reissued;
    });
    if (found !== LOST) throw new Error(`${LOST} queue entries were lost, ${found} were found`);
    await this.#assertWhole();
    return costs(`whole audit, all ${LOST} lost queue entries found`, spent);
  }

  async reissue(): Promise<Figure[]> {
    const redis = this.#stage.redis(0);
    await redis.flushall();
    const wiped = await this.#cost(() => this.#reconciler.tick());
    if (wiped.result.reissued !== this.#count)
      throw new Error(`${wiped.result.reissued} re-issued of ${this.#count}`);
    await this.#assertWhole();
    const memory = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]) / 2 ** 20;
    await redis.del('navbat:redis-generation');
    const again = await this.#cost(() => this.#reconciler.tick());
    if (again.result.reissued !== 0) throw new Error(`${again.result.reissued} re-issued twice`);
    await this.#assertWhole();
    return [
      ...costs('re-issue after FLUSHALL', wiped),
      figure('reconciler', 'MiB of Redis with all queue entries', [memory]),
      ...costs('re-issue once more, none doubled', again),
    ];
  }

  async #assertWhole(): Promise<void> {
    const delayed = await this.#stage.redis(0).zcard(DELAYED_KEY);
    if (delayed !== this.#count)
      throw new Error(`${this.#count} sleeping queue entries expected, ${delayed} found`);
  }

  async #cost<T>(work: () => Promise<T>): Promise<Cost & { result: T }> {
    const cpu = this.#stage.watch();
    const startedMs = performance.now();
    const result = await work();
    const cost = { result, ms: performance.now() - startedMs, cores: cpu() };
    console.error(`${JSON.stringify({ ms: cost.ms, cores: cost.cores })} (${machine()})`);
    return cost;
  }
}

const processes = [
  ['bench', 'node'],
  ['postgres', 'Postgres'],
  ['redis', 'Redis'],
] as const;

function costs(what: string, { ms, cores }: Cost): Figure[] {
  return [
    figure('reconciler', `seconds, ${what}`, [ms / 1_000]),
    ...processes.map(([group, name]) =>
      figure('reconciler', `CPU seconds of ${name}, ${what}`, [((cores[group] ?? Number.NaN) * ms) / 1_000]),
    ),
  ];
}

const cpuMs = (what: string, { ms, cores }: Cost, times: number) =>
  processes.map(([group, name]) =>
    figure('reconciler', `CPU ms of ${name}, ${what}`, [((cores[group] ?? Number.NaN) * ms) / times]),
  );
