import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProjectId } from '../../domain/shared/ids.ts';
import { readConfig } from '../../infra/process/config.ts';
import { rowEncryption } from '../../infra/process/crypto.ts';
import { openOrm } from '../../infra/postgres/engine/orm.ts';
import { hotPool } from '../../infra/postgres/engine/hot-pool.ts';
import { webhookStore } from '../../infra/postgres/webhook/webhooks.ts';
import { cpuSecondsOf, machine } from './support/cpu.ts';
import { type Figure, figure } from './support/figures.ts';
import type { Options } from './support/options.ts';
import { seedProjects } from './support/seed.ts';
import { onStage, type Stage } from './support/stage.ts';

/** What the other figures are held to. */
const SMALL = 100;
const LARGE = 8_000;
/** Calls before the clock starts: code is compiled, connections are open. */
const WARMUP = 300;
/** The backlog is brought back to its size so often. */
const REFILL_MS = 25;

interface Round {
  readonly perSecond: number;
  readonly cpuMs: number;
  /** The same, of each process. */
  readonly parts: Readonly<Record<string, string>>;
}

/**
 * Deliveries to one endpoint that answers at once, while a backlog of a certain size stands: its rate, and the CPU of each call.
 * Writing the events, which belongs to whoever makes them happen, is a part of its own.
 */
export async function webhook(options: Options): Promise<Figure[]> {
  const rounds = { small: [] as Round[], large: [] as Round[] };
  await onStage(options, async (stage) => {
    const receiver = await startReceiver();
    const projectId = await addEndpoint(stage, receiver.url);
    for (let round = 1; round <= options.rounds; round++)
      for (const [name, backlog] of [
        ['small', SMALL],
        ['large', LARGE],
      ] as const) {
        const result = await turn(stage, receiver, projectId, backlog);
        rounds[name].push(result);
        console.error(`round ${round}, backlog ${backlog}: ${JSON.stringify(result)} (${machine()})`);
      }
    receiver.close();
  });
  const rates = (all: readonly Round[]) => all.map(({ perSecond }) => perSecond);
  const costs = (all: readonly Round[]) => all.map(({ cpuMs }) => cpuMs);
  return [
    figure(
      'webhook',
      `deliveries/s at a backlog of ${LARGE}, against ${SMALL}`,
      rates(rounds.large),
      rates(rounds.small),
    ),
    figure(
      'webhook',
      `ms of CPU a delivery at a backlog of ${LARGE}, against ${SMALL}`,
      costs(rounds.large),
      costs(rounds.small),
    ),
  ];
}

async function startReceiver() {
  let received = 0;
  const server = createServer((req, res) => {
    req.resume().once('end', () => {
      received++;
      res.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, received: () => received, close: () => server.close() };
}

async function addEndpoint(stage: Stage, url: string): Promise<string> {
  const [project] = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', 1);
  if (!project) throw new Error('no project');
  const orm = await openOrm(stage.postgresUrl);
  const pool = hotPool(stage.postgresUrl, 1);
  const store = webhookStore(orm.em, pool, rowEncryption(readConfig({ ...stage.env }).ENCRYPTION_KEYS));
  const of = { projectId: project.id as ProjectId, mode: 'live' } as const;
  await store.create(of, { url, description: null, event_types: null }, new Date());
  await pool.end();
  await orm.close(true);
  return project.id;
}

async function turn(
  stage: Stage,
  receiver: Awaited<ReturnType<typeof startReceiver>>,
  projectId: string,
  backlog: number,
): Promise<Round> {
  await stage.redis(0).flushdb();
  await stage.sql.query(
    'truncate job, attempt, webhook_event, webhook_delivery, turn_request, scheduler_turn cascade',
  );
  const from = receiver.received();
  let emitted = 0;
  /** Brings the backlog to its size; answers how many have been delivered. */
  const refill = async () => {
    const done = receiver.received() - from;
    const missing = backlog - (emitted - done);
    if (missing > 0) await stage.sql.query(emit, [projectId, missing]);
    emitted += Math.max(missing, 0);
    return done;
  };
  const until = async (isOver: (done: number) => boolean) => {
    for (;;) {
      const done = await refill();
      if (isOver(done)) return done;
      await sleep(REFILL_MS);
    }
  };
  await refill();
  const env = { NODE_ENV: 'test', REDIS_URL: stage.redisUrl(0), WEBHOOK_ALLOW_PRIVATE: 'true' };
  await stage.start('worker', 'workers/main.ts', env, ['webhook']);
  await stage.start('reconciler', 'workers/main.ts', env, ['reconciler']);
  const before = await until((done) => done >= WARMUP);
  const emitter = await stage.sql.query<{ pid: number }>('select pg_backend_pid() pid');
  const emitting = () => cpuSecondsOf(emitter.rows[0]?.pid ?? 0);
  const [cpu, emittingBefore] = [stage.watch(), emitting()];
  const startedMs = performance.now();
  const after = await until(() => performance.now() - startedMs >= stage.options.seconds * 1_000);
  const seconds = (performance.now() - startedMs) / 1_000;
  const cores = Object.entries(cpu()).filter(([name]) => name !== 'others' && name !== 'bench');
  await stage.stopChild('worker');
  await stage.stopChild('reconciler');
  const delivered = after - before;
  const msEach = (used: number) => (used * seconds * 1_000) / delivered;
  const events = (emitting() - emittingBefore) / seconds;
  const spent = cores.reduce((sum, [, used]) => sum + used, 0) - events;
  const parts = Object.fromEntries(
    [...cores, ['events, in postgres', events] as const].map(([name, used]) => [
      name,
      msEach(used).toFixed(2),
    ]),
  );
  return { perSecond: delivered / seconds, cpuMs: msEach(spent), parts };
}

const emit = `select webhook_emit($1, 'live', 'message.sent', $1, now(), '{}', null, null) from generate_series(1, $2::int)`;
