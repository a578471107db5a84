import { setTimeout as sleep } from 'node:timers/promises';
import type { BroadcastKind, MessageTarget } from '../../../domain/message/broadcast/broadcast.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { jobs as kinds } from '../../../domain/jobs.ts';
import { PushContent } from '../../../domain/message/push/message.ts';
import { TelegramContent } from '../../../domain/telegram/message.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import { broadcastIntake } from '../../../infra/postgres/message/broadcast/intake.ts';
import { hotPool } from '../../../infra/postgres/engine/hot-pool.ts';
import { Calls } from '../provider/calls.ts';
import type { Child } from '../support/child.ts';
import { type Cores, machine } from '../support/cpu.ts';
import { type Figure, figure, median } from '../support/figures.ts';
import type { Options } from '../support/options.ts';
import { type Project, seedProjects } from '../support/seed.ts';
import { onStage, type Stage } from '../support/stage.ts';

/** Messages a second that each turn is dealt for; whoever is faster is through sooner. */
const MESSAGES_PER_SECOND = 2_000;
/** Calls before the clock starts: code is compiled, connections are open. */
const WARMUP = 2_000;
const BROADCAST = 10_000;
const TURN_TIMEOUT_MS = 300_000;
const ANSWER_TIMEOUT_MS = 60_000;

interface Round {
  readonly perSecond: number;
  readonly cores: Cores;
}

/** Messages a second through a queue with the provider's limit lifted, against the provider's client in a bare loop. */
export const messages =
  (kind: BroadcastKind) =>
  async (options: Options): Promise<Figure[]> => {
    const figures: Figure[] = [];
    await onStage(options, async (stage) => {
      const port = await stage.freePort();
      const provider = await stage.start('provider', 'test/bench/provider/main.ts', {
        API_PORT: String(port),
      });
      const [project] = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', 1);
      if (!project) throw new Error('no project');
      const bench = { stage, provider, kind, project, providerUrl: `http://127.0.0.1:${port}` };
      const rounds = { queue: [] as Round[], bare: [] as Round[] };
      for (let round = 1; round <= options.rounds; round++)
        for (const name of ['queue', 'bare'] as const) {
          const result = await (name === 'queue' ? queueTurn(bench) : bareTurn(bench));
          rounds[name].push(result);
          console.error(`round ${round} ${name}: ${JSON.stringify(result)} (${machine()})`);
        }
      figures.push(...figuresOf(kind, rounds));
    });
    return figures;
  };

function figuresOf(
  kind: BroadcastKind,
  { queue, bare }: { queue: readonly Round[]; bare: readonly Round[] },
): Figure[] {
  const rates = (rounds: readonly Round[]) => rounds.map(({ perSecond }) => perSecond);
  const others = [...queue, ...bare].map(({ cores }) => cores['others'] ?? Number.NaN);
  const name = kind === 'push' ? 'push' : 'telegram';
  return [
    figure(
      name,
      `messages/s recorded, against the client in a bare loop, concurrency ${kinds[kind].concurrency}`,
      rates(queue),
      rates(bare),
    ),
    figure(name, 'cores busy with other work of the machine', [median(others)]),
  ];
}

interface Bench {
  readonly stage: Stage;
  readonly provider: Child;
  readonly kind: BroadcastKind;
  readonly project: Project;
  readonly providerUrl: string;
}

async function queueTurn(bench: Bench): Promise<Round> {
  const { stage, kind, providerUrl } = bench;
  const env = {
    NODE_ENV: 'test',
    REDIS_URL: stage.redisUrl(0),
    TELEGRAM_BOT_TOKEN: '7000000001:bench-bench-bench-bench-bench-bench',
    TELEGRAM_API_ROOT: providerUrl,
    FCM_SANDBOX_URL: providerUrl,
    TELEGRAM_MESSAGES_PER_SECOND: '100000',
    TELEGRAM_CHAT_GAP_MS: '0',
  };
  await stage.redis(0).flushdb();
  await stage.sql.query('truncate job, attempt cascade');
  const total = await addBroadcasts(bench, { ...stage.env, ...env });
  const cpu = stage.watch();
  await stage.start('worker', 'workers/main.ts', env, [kind]);
  await stage.start('reconciler', 'workers/main.ts', env, ['reconciler']);
  await untilDone(stage, total);
  const cores = cpu();
  await stage.stopChild('worker');
  await stage.stopChild('reconciler');
  const { rows } = await stage.sql.query<{ jobs: number; attempts: number }>(
    `select (select count(*)::int from job where state = 'completed' and attempts = 1) jobs,
       (select count(*)::int from attempt where outcome = 'completed') attempts`,
  );
  if (rows[0]?.jobs !== total || rows[0].attempts !== total)
    throw new Error(`${total} messages, yet ${JSON.stringify(rows[0])}`);
  return { perSecond: await rateOf(bench, total), cores };
}

async function addBroadcasts(
  { stage, kind, project }: Bench,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const config = readConfig(env);
  const pool = hotPool(stage.postgresUrl, 2);
  const now = () => new Date();
  const intake = broadcastIntake({
    pool,
    hash: keyedHash(config.PEPPER),
    encryption: rowEncryption(config.ENCRYPTION_KEYS),
    now,
  });
  const total = WARMUP + stage.options.seconds * MESSAGES_PER_SECOND;
  for (let from = 0; from < total; from += BROADCAST)
    await intake.accept({
      caller: { projectId: project.id as ProjectId, slug: project.slug, mode: 'live' },
      kind,
      priority: 'bulk',
      content:
        kind === 'push'
          ? PushContent.parse({ notification: { title: 'bench' } })
          : TelegramContent.parse({ text: 'bench' }),
      targets: Array.from({ length: Math.min(BROADCAST, total - from) }, (_, index) =>
        targetOf(kind, from + index),
      ),
      sendAt: now(),
      expiresAt: new Date(Date.now() + TURN_TIMEOUT_MS * 2),
      dedupeKey: null,
      idempotency: null,
      category: null,
      requestId: 'bench',
    });
  await pool.end();
  return total;
}

const targetOf = (kind: BroadcastKind, index: number): MessageTarget =>
  kind === 'push' ? { by: 'token', token: `token-${index}` } : { by: 'chat', chatId: String(index + 1) };

async function untilDone({ sql }: Stage, total: number): Promise<void> {
  const deadline = performance.now() + TURN_TIMEOUT_MS;
  for (;;) {
    const { rows } = await sql.query<{ done: number }>(
      'select count(*)::int done from job where finished_at is not null',
    );
    if (rows[0]?.done === total) return;
    if (performance.now() > deadline) throw new Error(`${rows[0]?.done} of ${total} done in time`);
    await sleep(200);
  }
}

async function bareTurn(bench: Bench): Promise<Round> {
  const { stage, kind, providerUrl } = bench;
  const total = WARMUP + stage.options.seconds * MESSAGES_PER_SECOND;
  const cpu = stage.watch();
  const child = await stage.start('bare', 'test/bench/message/bare-client/main.ts', {
    BENCH_KIND: kind,
    BENCH_JOBS: String(total),
    BENCH_CONCURRENCY: String(kinds[kind].concurrency),
    BENCH_PROVIDER: providerUrl,
  });
  await child.answer(TURN_TIMEOUT_MS);
  const cores = cpu();
  await stage.stopChild('bare');
  return { perSecond: await rateOf(bench, total), cores };
}

/** By the provider's own stamps: it counts what came in, once for each address. */
async function rateOf({ provider }: Bench, total: number): Promise<number> {
  provider.tell({});
  const { calls } = Calls.parse(await provider.answer(ANSWER_TIMEOUT_MS));
  const seen = new Set(calls.map(([to]) => to));
  if (calls.length !== total || seen.size !== total)
    throw new Error(`${total} messages, yet ${calls.length} calls to ${seen.size}`);
  const at = calls.map(([, atMs]) => atMs).toSorted((a, b) => a - b);
  const [from = 0, to = 0] = [at[WARMUP], at.at(-1)];
  return ((total - WARMUP) / (to - from)) * 1_000;
}
