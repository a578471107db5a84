import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Child } from '../support/child.ts';
import { type Cores, machine } from '../support/cpu.ts';
import { type Figure, figure, median } from '../support/figures.ts';
import type { Options } from '../support/options.ts';
import { seedProjects } from '../support/seed.ts';
import { onStage, type Stage } from '../support/stage.ts';
import { type BenchSession, openTraffic } from './earners.ts';
import { PhonesReport } from './phones/order.ts';

/** What a phone sends that was without a network for half a day; and what it sends each minute. */
const SIZES = [500, 1] as const;
type Size = (typeof SIZES)[number];
/** At 120 requests a minute of each person they bear 8 000 requests a second together. */
const SESSIONS = 4_000;
/** Requests on their way at once: of large ones, a few fill the api. */
const CONNECTIONS: Readonly<Record<Size, number>> = { 500: 16, 1: 200 };
const WARMUP_SECONDS = 2;
/** Rows of one raw insert: as many as a large request has. */
const RAW_ROWS = 500;
const RAW_CONNECTIONS = 2;
const ANSWER_TIMEOUT_MS = 180_000;
const METERED_MS_MAX = 300_000;
const LOOK_MS = 100;
/** Of the raw insert's rate: the goal of what is accepted, and at which nothing may wait for longer than five seconds. */
const GOAL = 0.25;

interface Turn {
  readonly perSecond: number;
  /** CPU microseconds a report, of every process that serves. */
  readonly micros: number;
  readonly cores: Cores;
}
interface Together {
  readonly perSecond: number;
  /** Seconds for which the oldest waiting session had waited, at most. */
  readonly waitedSeconds: number;
}

/** Reports a second that are accepted over HTTP, and metered, against a raw multi-row insert of as many rows. */
export async function traffic(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    const bench = await TrafficBench.open(stage);
    for (const size of SIZES) {
      const turns = {
        accept: [] as Turn[],
        meter: [] as Turn[],
        raw: [] as Turn[],
        together: [] as Together[],
      };
      for (let round = 1; round <= options.rounds; round += 1) {
        turns.accept.push(await bench.accept(size));
        turns.meter.push(await bench.meter());
        turns.raw.push(await bench.raw());
        // Where HTTP costs more than that, half of what it takes: the other half is for metering.
        const goal = (turns.raw.at(-1)?.perSecond ?? 0) * GOAL;
        const rate = Math.min(goal, (turns.accept.at(-1)?.perSecond ?? 0) / 2);
        turns.together.push(await bench.together(size, rate));
        const last = Object.fromEntries(Object.entries(turns).map(([name, all]) => [name, all.at(-1)]));
        console.error(`round ${round}, ${size} a request: ${JSON.stringify(last)} (${machine()})`);
      }
      figures.push(...figuresOf(size, turns));
    }
    await bench.close();
  });
  return figures;
}

function figuresOf(
  size: Size,
  turns: {
    readonly accept: readonly Turn[];
    readonly meter: readonly Turn[];
    readonly raw: readonly Turn[];
    readonly together: readonly Together[];
  },
): Figure[] {
  const rates = (all: readonly Turn[]) => all.map(({ perSecond }) => perSecond);
  const micros = (all: readonly Turn[]) => all.map((turn) => turn.micros);
  const of = `${size} a request`;
  const others = [...turns.accept, ...turns.meter, ...turns.raw].map(
    ({ cores }) => cores['others'] ?? Number.NaN,
  );
  return [
    figure(
      'traffic',
      `reports/s accepted, ${of}, against a raw insert`,
      rates(turns.accept),
      rates(turns.raw),
    ),
    figure(
      'traffic',
      `CPU us a report accepted, ${of}, against a raw insert`,
      micros(turns.accept),
      micros(turns.raw),
    ),
    figure('traffic', `reports/s metered, ${of}, against a raw insert`, rates(turns.meter), rates(turns.raw)),
    figure(
      'traffic',
      `CPU us a report metered, ${of}, against a raw insert`,
      micros(turns.meter),
      micros(turns.raw),
    ),
    figure(
      'traffic',
      `reports/s while they are metered, ${of}, asked for at ${GOAL} of a raw insert, or half of what is accepted`,
      turns.together.map(({ perSecond }) => perSecond),
    ),
    figure(
      'traffic',
      `seconds that a session waited at most to be metered then, ${of}`,
      turns.together.map(({ waitedSeconds }) => waitedSeconds),
    ),
    figure('traffic', `cores busy with other work of the machine, ${of}`, [median(others)]),
  ];
}

class TrafficBench {
  readonly #stage: Stage;
  readonly #phones: Child;
  readonly #env: Readonly<Record<string, string>>;
  readonly #port: number;
  readonly #sessions: readonly BenchSession[];
  readonly #raw: Pool;
  /** Rows of the last turn of accepting: as many are inserted raw. */
  #rows = 0;

  private constructor(
    stage: Stage,
    parts: {
      readonly phones: Child;
      readonly env: Readonly<Record<string, string>>;
      readonly port: number;
      readonly sessions: readonly BenchSession[];
    },
  ) {
    this.#stage = stage;
    this.#phones = parts.phones;
    this.#env = parts.env;
    this.#port = parts.port;
    this.#sessions = parts.sessions;
    this.#raw = new Pool({ connectionString: stage.ownerUrl, max: RAW_CONNECTIONS });
  }

  static async open(stage: Stage): Promise<TrafficBench> {
    const [project] = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', 1);
    if (!project) throw new Error('no project');
    await stage.sql.query(
      `update project set settings = settings || '{"require_counterpart": "pay"}' where id = $1`,
      [project.id],
    );
    const sessions = await openTraffic(stage.sql, stage.env, project.id, SESSIONS);
    await stage.sql.query(rawTable);
    const port = await stage.freePort();
    const env = {
      NODE_ENV: 'test',
      REDIS_URL: stage.redisUrl(0),
      NAVBAT_PRODUCTS: 'message,pay,earn',
      MONEY_PROJECT: project.id,
      API_PORT: String(port),
    };
    await stage.start('api', 'apps/api/main.ts', env);
    const phones = await stage.start('phones', 'test/bench/earn/phones/main.ts');
    return new TrafficBench(stage, { phones, env, port, sessions });
  }

  close = (): Promise<void> => this.#raw.end();

  /** As fast as it goes, with nobody who meters. */
  async accept(size: Size): Promise<Turn> {
    const before = await this.#count('select coalesce(sum(reports), 0)::int as n from traffic_session');
    const { report, micros, cores } = await this.#send(size, null);
    const after = await this.#count('select coalesce(sum(reports), 0)::int as n from traffic_session');
    if (after - before !== report.reports)
      throw new Error(`${report.reports} accepted, ${after - before} kept`);
    this.#rows = report.reports;
    return { perSecond: report.perSecond, micros, cores };
  }

  /** What the turn before has left. All reports of a session are read again, whatever was metered before. */
  async meter(): Promise<Turn> {
    const reports = await this.#count(
      'select coalesce(sum(reports), 0)::int as n from traffic_session where job_id is not null',
    );
    await this.#startMetering();
    const cpu = this.#stage.watch();
    const beganMs = performance.now();
    await this.#untilMetered();
    const seconds = (performance.now() - beganMs) / 1_000;
    const cores = cpu();
    await this.#stopMetering();
    return { perSecond: reports / seconds, micros: microsOf(cores, seconds, reports), cores };
  }

  /** One multi-row insert after the other into a table with the same columns, checks and key. */
  async raw(): Promise<Turn> {
    await this.#stage.sql.query('truncate raw_report');
    await this.#stage.sql.query('checkpoint');
    const batches = Array.from({ length: Math.ceil(this.#rows / RAW_ROWS) }, rowsOf);
    const cpu = this.#stage.watch();
    const beganMs = performance.now();
    const insert = async () => {
      for (let batch = batches.pop(); batch; batch = batches.pop())
        await this.#raw.query({ name: 'raw-insert', text: rawInsert, values: [...batch] });
    };
    await Promise.all(Array.from({ length: RAW_CONNECTIONS }, insert));
    const seconds = (performance.now() - beganMs) / 1_000;
    const cores = cpu();
    return { perSecond: this.#rows / seconds, micros: microsOf(cores, seconds, this.#rows), cores };
  }

  /** At this rate, while a worker meters: how long does anything wait? */
  async together(size: Size, reportsPerSecond: number): Promise<Together> {
    await this.#startMetering();
    let waitedSeconds = 0;
    const over = new AbortController();
    const watching = (async () => {
      while (!over.signal.aborted) {
        waitedSeconds = Math.max(waitedSeconds, await this.#oldest());
        await sleep(LOOK_MS);
      }
    })();
    const { report } = await this.#send(size, reportsPerSecond / size);
    await this.#untilMetered();
    over.abort();
    await watching;
    await this.#stopMetering();
    return { perSecond: report.perSecond, waitedSeconds };
  }

  async #oldest(): Promise<number> {
    const { rows } = await this.#raw.query<{ seconds: number | null }>(
      'select extract(epoch from clock_timestamp() - min(asked_at))::float as seconds from traffic_session where job_id is not null',
    );
    return rows[0]?.seconds ?? 0;
  }

  async #send(size: Size, rate: number | null) {
    await this.#stage.sql.query('checkpoint');
    const { seconds } = this.#stage.options;
    const sessions = this.#sessions.map(({ id, token, next }) => ({ id, token, next }));
    const cpu = this.#stage.watch();
    this.#phones.tell({
      port: this.#port,
      sessions,
      connections: CONNECTIONS[size],
      size,
      rate,
      warmupSeconds: WARMUP_SECONDS,
      seconds,
    });
    const report = PhonesReport.parse(await this.#phones.answer(ANSWER_TIMEOUT_MS + seconds * 1_000));
    const cores = cpu();
    const others = Object.keys(report.statuses).filter((status) => status !== '202');
    if (others.length > 0) throw new Error(`answered ${JSON.stringify(report.statuses)}`);
    for (const [index, session] of this.#sessions.entries())
      session.next = report.next[index] ?? session.next;
    return { report, cores, micros: microsOf(cores, WARMUP_SECONDS + seconds, report.reports) };
  }

  async #startMetering(): Promise<void> {
    await this.#stage.start('reconciler', 'workers/main.ts', this.#env, ['reconciler']);
    await this.#stage.start('worker', 'workers/main.ts', this.#env, ['traffic-report']);
  }

  async #stopMetering(): Promise<void> {
    await this.#stage.stopChild('worker');
    await this.#stage.stopChild('reconciler');
  }

  async #untilMetered(): Promise<void> {
    const untilMs = performance.now() + METERED_MS_MAX;
    const waiting = 'select count(*)::int as n from traffic_session where job_id is not null';
    while ((await this.#count(waiting)) > 0) {
      if (performance.now() > untilMs) throw new Error(`sessions wait after ${METERED_MS_MAX} ms`);
      await sleep(LOOK_MS);
    }
  }

  async #count(sql: string): Promise<number> {
    return (await this.#stage.sql.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
  }
}

/** Of all that serves; not of who sends, who stands for the phones. */
function microsOf(cores: Cores, seconds: number, reports: number): number {
  const { others: _others, phones: _phones, ...serving } = cores;
  const busy = Object.values(serving).reduce((sum, each) => sum + each, 0);
  return (busy * seconds * 1e6) / reports;
}

const rawTable = `
create table raw_report (like session_report including defaults including constraints, primary key (session_id, seq))`;

const rawInsert = `
insert into raw_report (session_id, seq, measured_at, received_at, up, down, conflicted)
select session_id, seq, measured_at, now(), up, down, false
from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::bigint[], $5::bigint[]) g (session_id, seq, measured_at, up, down)`;

function rowsOf() {
  const [session, at] = [uuidv7(), new Date().toISOString()];
  const rows = Array.from({ length: RAW_ROWS }, (_, n) => n);
  return [
    rows.map(() => session),
    rows,
    rows.map(() => at),
    rows.map((n) => n * 4_000),
    rows.map((n) => n * 40_000),
  ] as const;
}
