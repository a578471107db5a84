import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './support/child.ts';
import { type Cores, machine } from './support/cpu.ts';
import { type Figure, figure, median } from './support/figures.ts';
import { type LoadOrder, LoadReport } from './load/order.ts';
import { onStage, type Stage } from './support/stage.ts';
import type { Options } from './support/options.ts';
import { type Project, seedProjects } from './support/seed.ts';

/** One request on the way on each; more make no server here faster, and fewer make batches small. */
const CONNECTIONS = 200;
/** Two for each connection: at the default of 6 000 requests a minute they bear 40 000 a second together. */
const PROJECTS = 400;
const WARMUP_SECONDS = 2;
/** Queue entries follow their commit by milliseconds; the reconciler would bring those that did not. */
const ENTRIES_WAIT_MS = 3_000;
const ANSWER_TIMEOUT_MS = 120_000;

interface Variant {
  readonly name: 'commit' | 'queue.add' | 'bare';
  readonly file: string;
  /** Of Redis. */
  readonly database: number;
  readonly queueKey: string;
}

const variants: readonly Variant[] = [
  { name: 'commit', file: 'apps/api/main.ts', database: 0, queueKey: '{otp-send}:otp-send:wait' },
  { name: 'queue.add', file: 'test/bench/queue-api/main.ts', database: 1, queueKey: 'bull:queued:wait' },
  { name: 'bare', file: 'test/bench/bare-api/main.ts', database: 2, queueKey: 'bull:bare:wait' },
];

/** Only so that the api has an SMS channel to plan for: no worker runs, and nobody calls it. */
const provider = {
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'bench',
  TWILIO_PHONE_NUMBER: '+15005550006',
  TWILIO_API_URL: 'http://127.0.0.1:9',
};

interface Round {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cores: Cores;
}

/** `/otp/send` with its commit, against the same handler with `queue.add`, and against a bare one. */
export async function intake(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    const load = await stage.start('load', 'test/bench/load/main.ts');
    const bench = new IntakeBench(
      stage,
      load,
      await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', PROJECTS),
    );
    const ceiling = await bench.ceiling();
    await bench.open();
    const rounds = new Map<string, Round[]>(variants.map(({ name }) => [name, []]));
    for (let round = 1; round <= options.rounds; round++)
      for (const variant of variants) {
        const result = await bench.turn(variant);
        rounds.get(variant.name)?.push(result);
        console.error(`round ${round} ${variant.name}: ${JSON.stringify(result)} (${machine()})`);
      }
    figures.push(...figuresOf(rounds, ceiling));
  });
  return figures;
}

function figuresOf(rounds: ReadonlyMap<string, readonly Round[]>, ceiling: number): Figure[] {
  const rates = (name: string) => (rounds.get(name) ?? []).map(({ perSecond }) => perSecond);
  const p99s = (name: string) => (rounds.get(name) ?? []).map(({ p99Ms }) => p99Ms);
  const others = [...rounds.values()].flat().map(({ cores }) => cores['others'] ?? Number.NaN);
  return [
    figure(
      'intake',
      'requests/s, commit against queue.add in the same handler',
      rates('commit'),
      rates('queue.add'),
    ),
    figure(
      'intake',
      'requests/s, commit against a bare handler with queue.add',
      rates('commit'),
      rates('bare'),
    ),
    figure(
      'intake',
      'p99 ms at half the maximum, against queue.add in the same handler',
      p99s('commit'),
      p99s('queue.add'),
    ),
    figure('intake', 'p99 ms at half the maximum, against a bare handler', p99s('commit'), p99s('bare')),
    figure('intake', 'requests/s of the generator against an empty server', [ceiling]),
    figure('intake', 'cores busy with other work of the machine', [median(others)]),
  ];
}

class IntakeBench {
  readonly #stage: Stage;
  readonly #load: Child;
  readonly #projects: readonly Project[];
  readonly #ports = new Map<string, number>();
  #nextNumber = 0;

  constructor(stage: Stage, load: Child, projects: readonly Project[]) {
    this.#stage = stage;
    this.#load = load;
    this.#projects = projects;
  }

  /** What the generator reaches where the server does nothing. */
  async ceiling(): Promise<number> {
    const port = await this.#stage.freePort();
    await this.#stage.start('empty', 'test/bench/empty-api/main.ts', { API_PORT: String(port) });
    const { perSecond } = await this.#send({ port, rate: null });
    await this.#stage.stopChild('empty');
    return perSecond;
  }

  async open(): Promise<void> {
    for (const { name, file, database } of variants) {
      const port = await this.#stage.freePort();
      const env = { ...provider, API_PORT: String(port), REDIS_URL: this.#stage.redisUrl(database) };
      await this.#stage.start(name, file, env);
      this.#ports.set(name, port);
    }
  }

  /** As fast as it goes, then at half of that with arrivals that do not wait. */
  async turn(variant: Variant): Promise<Round> {
    const port = this.#ports.get(variant.name) ?? 0;
    await this.#stage.redis(variant.database).flushdb();
    await this.#stage.sql.query('checkpoint');
    const cpu = this.#stage.watch();
    const fastest = await this.#counted(variant, { port, rate: null });
    const cores = cpu();
    const half = await this.#counted(variant, { port, rate: fastest.perSecond / 2 });
    return { perSecond: fastest.perSecond, p99Ms: half.p99Ms, cores };
  }

  /** Every 202 must stand where it was promised to: in Postgres and on its queue, or on the queue alone. */
  async #counted(variant: Variant, order: Pick<LoadOrder, 'port' | 'rate'>): Promise<LoadReport> {
    const before = await this.#rows();
    const redis = this.#stage.redis(variant.database);
    const queuedBefore = await redis.llen(variant.queueKey);
    const report = await this.#send(order);
    const accepted = report.statuses['202'] ?? 0;
    const others = Object.keys(report.statuses).filter((status) => status !== '202');
    if (others.length > 0) throw new Error(`${variant.name} answered ${JSON.stringify(report.statuses)}`);
    const after = await this.#rows();
    const expected = variant.name === 'commit' ? accepted : 0;
    for (const table of tables)
      if (after[table] - before[table] !== expected)
        throw new Error(
          `${variant.name}: ${expected} expected in ${table}, ${after[table] - before[table]} found`,
        );
    await this.#entries(variant, queuedBefore + accepted);
    return report;
  }

  async #entries({ name, database, queueKey }: Variant, expected: number): Promise<void> {
    const deadline = performance.now() + ENTRIES_WAIT_MS;
    let queued = 0;
    while (performance.now() < deadline) {
      queued = await this.#stage.redis(database).llen(queueKey);
      if (queued === expected) return;
      await sleep(20);
    }
    throw new Error(`${name}: ${expected} queue entries expected, ${queued} found`);
  }

  async #rows(): Promise<Record<(typeof tables)[number], number>> {
    const { rows } = await this.#stage.sql.query<Record<(typeof tables)[number], number>>(countRows);
    const [row] = rows;
    if (!row) throw new Error('no count');
    return row;
  }

  async #send(order: Pick<LoadOrder, 'port' | 'rate'>): Promise<LoadReport> {
    const whole: LoadOrder = {
      ...order,
      keys: this.#projects.map(({ key }) => key),
      connections: CONNECTIONS,
      warmupSeconds: WARMUP_SECONDS,
      seconds: this.#stage.options.seconds,
      firstNumber: this.#nextNumber,
      trace: false,
    };
    this.#load.tell(whole);
    const report = LoadReport.parse(await this.#load.answer(ANSWER_TIMEOUT_MS + whole.seconds * 1_000));
    this.#nextNumber = report.nextNumber;
    return report;
  }
}

const tables = ['job', 'verification', 'request', 'outboxed'] as const;

const countRows = `
select (select count(*)::int from job) job, (select count(*)::int from verification) verification,
  (select count(*)::int from request) request, (select coalesce(sum(cardinality(job_ids)), 0)::int from outbox) outboxed`;
