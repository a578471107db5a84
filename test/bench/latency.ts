import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { LoadReport } from './load/order.ts';
import type { Child } from './support/child.ts';
import {
  acceptedAt,
  CALLS_WAIT_MS,
  callsTo,
  chatOf,
  p50And99,
  seedRecipients,
  timeOf,
} from './support/codes.ts';
import { type Cores, machine } from './support/cpu.ts';
import { type Figure, figure, median } from './support/figures.ts';
import type { Options } from './support/options.ts';
import { type Project, seedProjects } from './support/seed.ts';
import { onStage, type Stage } from './support/stage.ts';

/** Requests a second of the issue. */
const RATES = [50, 200, 1_000] as const;
const CONNECTIONS = 100;
/** One key for each connection: the limit of one would be met at 100 a second. */
const PROJECTS = 100;
const WARMUP_SECONDS = 2;
const ANSWER_TIMEOUT_MS = 120_000;
const TOKEN = '123456:bench';

interface Variant {
  readonly name: 'platform' | 'queue only';
  readonly api: string;
  readonly worker: string;
  readonly workerArgs: readonly string[];
  readonly database: number;
}
const variants: readonly Variant[] = [
  {
    name: 'platform',
    api: 'apps/api/main.ts',
    worker: 'workers/main.ts',
    workerArgs: ['otp-send'],
    database: 0,
  },
  {
    name: 'queue only',
    api: 'test/bench/queue-api/main.ts',
    worker: 'test/bench/relay-worker/main.ts',
    workerArgs: [],
    database: 1,
  },
];

interface Round {
  /** From when the request was due at the client to the provider's being called. */
  readonly wholeMs: readonly [p50: number, p99: number];
  /** From the row's `accepted_at`, before its commit, to the provider's being called; of the platform only. */
  readonly acceptedMs: readonly [p50: number, p99: number] | null;
  readonly cores: Cores;
}

/** Accepted → provider called, in real processes, with arrivals that do not wait. */
export async function latency(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  await onStage(options, async (stage) => {
    const bench = await LatencyBench.open(stage);
    const rounds = new Map<string, Round[]>();
    for (let round = 1; round <= options.rounds; round++)
      for (const rate of RATES)
        for (const variant of variants) {
          const result = await bench.turn(variant, rate);
          rounds.set(keyOf(variant.name, rate), [...(rounds.get(keyOf(variant.name, rate)) ?? []), result]);
          console.error(
            `round ${round} ${keyOf(variant.name, rate)}: ${JSON.stringify(result)} (${machine()})`,
          );
        }
    figures.push(...figuresOf(rounds));
  });
  return figures;
}

const keyOf = (name: Variant['name'], rate: number) => `${name} at ${rate}/s`;

function figuresOf(rounds: ReadonlyMap<string, readonly Round[]>): Figure[] {
  const of = (name: Variant['name'], rate: number) => rounds.get(keyOf(name, rate)) ?? [];
  const others = [...rounds.values()].flat().map(({ cores }) => cores['others'] ?? Number.NaN);
  const ofRates = RATES.flatMap((rate) =>
    (['p50', 'p99'] as const).flatMap((quantileName, index) => {
      const accepted = of('platform', rate).map(({ acceptedMs }) => acceptedMs?.[index] ?? Number.NaN);
      const [whole, queueOnly] = [of('platform', rate), of('queue only', rate)].map((some) =>
        some.map(({ wholeMs }) => wholeMs[index] ?? Number.NaN),
      );
      return [
        figure('latency', `${quantileName} ms accepted → provider called at ${rate}/s`, accepted),
        figure(
          'latency',
          `${quantileName} ms request due → provider called at ${rate}/s, against a queue alone`,
          whole ?? [],
          queueOnly ?? [],
        ),
      ];
    }),
  );
  return [...ofRates, figure('latency', 'cores busy with other work of the machine', [median(others)])];
}

class LatencyBench {
  readonly #stage: Stage;
  readonly #load: Child;
  readonly #provider: Child;
  readonly #projects: readonly Project[];
  readonly #ports: ReadonlyMap<string, number>;
  #nextNumber = 0;

  private constructor(
    stage: Stage,
    load: Child,
    provider: Child,
    projects: readonly Project[],
    ports: ReadonlyMap<string, number>,
  ) {
    this.#stage = stage;
    this.#load = load;
    this.#provider = provider;
    this.#projects = projects;
    this.#ports = ports;
  }

  static async open(stage: Stage): Promise<LatencyBench> {
    const providerPort = await stage.freePort();
    const provider = await stage.start('provider', 'test/bench/provider/main.ts', {
      API_PORT: String(providerPort),
    });
    const telegram = {
      TELEGRAM_BOT_TOKEN: TOKEN,
      TELEGRAM_API_ROOT: `http://127.0.0.1:${providerPort}`,
      // Telegram's own pace of some thirty messages a second would be what is measured.
      TELEGRAM_MESSAGES_PER_SECOND: '100000',
      TELEGRAM_CHAT_GAP_MS: '0',
    };
    const ports = new Map<string, number>();
    for (const { name, api, worker, workerArgs, database } of variants) {
      const port = await stage.freePort();
      const env = { ...telegram, API_PORT: String(port), REDIS_URL: stage.redisUrl(database) };
      await stage.start(`${name} api`, api, env);
      await stage.start(`${name} worker`, worker, env, workerArgs);
      ports.set(name, port);
    }
    const load = await stage.start('load', 'test/bench/load/main.ts');
    return new LatencyBench(
      stage,
      load,
      provider,
      await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', PROJECTS),
      ports,
    );
  }

  async turn(variant: Variant, rate: number): Promise<Round> {
    const { seconds } = this.#stage.options;
    const first = this.#nextNumber;
    await this.#seedRecipients(first, Math.ceil((WARMUP_SECONDS + seconds) * rate) + CONNECTIONS);
    const cpu = this.#stage.watch();
    this.#load.tell({
      port: this.#ports.get(variant.name) ?? 0,
      rate,
      keys: this.#projects.map(({ key }) => key),
      connections: CONNECTIONS,
      warmupSeconds: WARMUP_SECONDS,
      seconds,
      firstNumber: first,
      trace: true,
    });
    const report = LoadReport.parse(await this.#load.answer(ANSWER_TIMEOUT_MS + seconds * 1_000));
    const cores = cpu();
    this.#nextNumber = report.nextNumber;
    const sent = report.nextNumber - first;
    if (report.statuses['202'] !== sent)
      throw new Error(`${sent} sent, yet ${JSON.stringify(report.statuses)}`);
    const calledAt = await callsTo(this.#provider, sent);
    const wholeMs = report.traces.map(([number, dueMs]) => timeOf(calledAt, chatOf(number)) - dueMs);
    const measured = report.traces.map(([number]) => chatOf(number));
    const accepted = variant.name === 'platform' ? await this.#accepted(sent, measured) : null;
    const acceptedMs = accepted && measured.map((chat) => timeOf(calledAt, chat) - timeOf(accepted, chat));
    return { wholeMs: p50And99(wholeMs), acceptedMs: acceptedMs && p50And99(acceptedMs), cores };
  }

  async #seedRecipients(first: number, count: number): Promise<void> {
    await this.#stage.sql.query(
      'truncate recipient, job, attempt, verification, destination, request, outbox cascade',
    );
    await seedRecipients(this.#stage.sql, this.#stage.env['PEPPER'] ?? '', this.#projects, { first, count });
    await this.#stage.sql.query('vacuum analyze');
    await this.#stage.sql.query('checkpoint');
  }

  async #accepted(sent: number, chats: readonly string[]): Promise<ReadonlyMap<string, number>> {
    await waitForCompleted(this.#stage.sql, sent);
    return acceptedAt(this.#stage.sql, chats);
  }
}

/** Every job that was accepted has one attempt, closed as completed. */
async function waitForCompleted(sql: Client, expected: number): Promise<void> {
  const deadline = performance.now() + CALLS_WAIT_MS;
  for (;;) {
    const { rows } = await sql.query<{ jobs: number; completed: number; attempts: number }>(countCompleted);
    const [row] = rows;
    if (row?.jobs === expected && row.completed === expected && row.attempts === expected) return;
    if (performance.now() > deadline) throw new Error(`${expected} accepted, yet ${JSON.stringify(row)}`);
    await sleep(100);
  }
}

const countCompleted = `
select (select count(*)::int from job) jobs, (select count(*)::int from job where state = 'completed') completed,
  (select count(*)::int from attempt where outcome = 'completed' and n = 1) attempts`;
