import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Project, seedProjects } from '../../bench/support/seed.ts';
import { onStage, type Stage } from '../../bench/support/stage.ts';

/** Real processes of a Telegram queue on a stage: api, worker, two schedulers, and the sandbox. */
export interface MessageStage {
  readonly stage: Stage;
  readonly projects: readonly Project[];
  /** Starts `reconciler-1`, `reconciler-2` or `worker` again, after a kill. */
  start(name: ProcessName): Promise<void>;
  kill(name: ProcessName): void;
  call(
    project: Project,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Body }>;
  /** Strikes the next so many calls to the sandbox's Telegram. */
  orderFaults(fault: { effect: 'hang-before' | 'hang-after'; times: number }): Promise<void>;
  endFaults(): Promise<void>;
  /** What reached whom, by the sandbox's own record. */
  messages(): Promise<Message[]>;
}
export type ProcessName = 'worker' | 'reconciler-1' | 'reconciler-2';
export interface Message {
  readonly to: string;
  readonly text: string;
  readonly received_at: string;
}
interface Body {
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly finished_at: string | null;
  readonly progress: Readonly<Record<'sent' | 'failed' | 'blocked' | 'cancelled' | 'waiting', number>>;
}

export interface MessageStageOptions {
  readonly directory: string;
  readonly projects: number;
  readonly messagesPerSecond: number;
}

export async function onMessageStage<T>(
  options: MessageStageOptions,
  work: (stage: MessageStage) => Promise<T>,
): Promise<T> {
  const results: T[] = [];
  await onStage(
    { rounds: 1, seconds: 1, rows: 1_000, sizes: [], items: 0, batch: 0, clients: 0, answer: 0 },
    async (stage) => {
      results.push(await work(await build(stage, options)));
    },
  );
  const [result] = results;
  if (result === undefined) throw new Error('the run ended without a report');
  return result;
}

async function build(stage: Stage, options: MessageStageOptions): Promise<MessageStage> {
  const { directory, messagesPerSecond } = options;
  const [sandboxPort, apiPort] = [await stage.freePort(), await stage.freePort()];
  const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const env = environment(stage, { directory, messagesPerSecond, sandboxPort, apiPort });
  const pids = new Map<string, number>();
  const start = async (name: ProcessName) => {
    const role = name === 'worker' ? 'telegram-message' : 'reconciler';
    pids.set(name, (await stage.start(name, 'workers/main.ts', env, [role])).pid);
  };
  await stage.start('sandbox', 'apps/sandbox/main.ts', env);
  await stage.start('api', 'apps/api/main.ts', env);
  for (const name of ['worker', 'reconciler-1', 'reconciler-2'] as const) await start(name);
  const pace = { per_second: messagesPerSecond * 10, chat_gap_ms: 0, busy_share: 0 };
  await fetch(`${sandboxUrl}/telegram/pace`, { method: 'PUT', body: JSON.stringify(pace) });
  return {
    stage,
    projects: await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', options.projects),
    start,
    kill: (name) => void process.kill(pids.get(name) ?? Number.NaN, 'SIGKILL'),
    call: (project, method, path, body) => call(apiUrl + path, project, method, body),
    orderFaults: async (fault) => {
      const body = JSON.stringify({ channel: 'telegram', ...fault });
      await fetch(`${sandboxUrl}/faults`, { method: 'PUT', body });
    },
    endFaults: async () => void (await fetch(`${sandboxUrl}/faults`, { method: 'DELETE' })),
    messages: () => readMessages(directory),
  };
}

interface Ground {
  readonly directory: string;
  readonly messagesPerSecond: number;
  readonly sandboxPort: number;
  readonly apiPort: number;
}

const environment = (stage: Stage, { directory, messagesPerSecond, sandboxPort, apiPort }: Ground) => ({
  NODE_ENV: 'test',
  // Their ready lines are at the level info.
  LOG_LEVEL: 'info',
  BIND_HOST: '127.0.0.1',
  REDIS_URL: stage.redisUrl(0),
  NAVBAT_HOME: directory,
  SANDBOX_PORT: String(sandboxPort),
  API_PORT: String(apiPort),
  PUBLIC_URL: `http://127.0.0.1:${apiPort}`,
  TELEGRAM_BOT_TOKEN: '7000000001:chaos-chaos-chaos-chaos-chaos-chaos',
  TELEGRAM_API_ROOT: `http://127.0.0.1:${sandboxPort}`,
  TELEGRAM_MESSAGES_PER_SECOND: String(messagesPerSecond),
  TELEGRAM_CHAT_GAP_MS: '0',
});

async function call(url: string, { key }: Project, method: string, body: object = {}) {
  const answer = await fetch(url, {
    method,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Body };
}

/** The sandbox writes within 50 ms. */
const WRITTEN_MS = 200;

async function readMessages(directory: string): Promise<Message[]> {
  await sleep(WRITTEN_MS);
  const text = await readFile(join(directory, 'sandbox', 'messages.jsonl'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line.includes('"received_at"'))
    .map((line) => JSON.parse(line) as Message);
}
