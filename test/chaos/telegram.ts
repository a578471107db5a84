import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cores } from '../bench/support/cpu.ts';
import { type Project, seedProjects } from '../bench/support/seed.ts';
import { onStage, type Stage } from '../bench/support/stage.ts';

/** Telegram's limits at real speed, which the sandbox enforces, and the bot's own pace below them. */
const GRANTED_PER_SECOND = 30;
const SENT_PER_SECOND = 29;
const CHAT_GAP_MS = 1_000;
/** Of a hundred recipients, so many are in a group of chats that each get several messages. */
const REPEATED_SHARE = 0.1;
const MESSAGES_TO_A_REPEATED_CHAT = 5;
const CODE_PHONE = '+998901112233';
const FIRST_CHAT = 1_000_000;

export interface TelegramRun {
  /** 10: everything ten times faster than Telegram. */
  readonly speed: number;
  /** Of each project, in the order of their projects. */
  readonly broadcasts: readonly number[];
  /** This share of calls is answered 429 by chance. */
  readonly busyShare: number;
  readonly directory: string;
}

export interface TelegramReport {
  readonly sent: number;
  readonly lost: number;
  readonly doubled: number;
  readonly breaches: number;
  readonly disobeyed: number;
  readonly busy: number;
  readonly seconds: number;
  /** Of what Telegram grants. */
  readonly rateShare: number;
  /** From the request for a code in the middle of it to the provider's having it. */
  readonly codeMs: number;
  /** When each project's last message went out, as a share of the whole time. */
  readonly projectEnds: readonly number[];
  /** Messages of each project that had gone out when the smallest broadcast of the large ones ended. */
  readonly sharesWhileAll: readonly number[];
  /** Kept busy while they waited. */
  readonly cores: Cores;
}

interface Message {
  readonly to: string;
  readonly text: string;
  readonly received_at: string;
}

/** Broadcasts of several projects through real processes, with the sandbox holding Telegram's limits. */
export async function runTelegram(run: TelegramRun, tell: (line: string) => void): Promise<TelegramReport> {
  let report: TelegramReport | undefined;
  await onStage(
    { rounds: 1, seconds: 1, rows: 1_000, sizes: [], items: 0, batch: 0, clients: 0, answer: 0 },
    async (stage) => {
      report = await onTheStage(stage, run, tell);
    },
  );
  if (!report) throw new Error('the run ended without a report');
  return report;
}

async function onTheStage(
  stage: Stage,
  run: TelegramRun,
  tell: (line: string) => void,
): Promise<TelegramReport> {
  const [sandboxPort, apiPort] = [await stage.freePort(), await stage.freePort()];
  const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  const env = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    BIND_HOST: '127.0.0.1',
    REDIS_URL: stage.redisUrl(0),
    NAVBAT_HOME: run.directory,
    SANDBOX_PORT: String(sandboxPort),
    API_PORT: String(apiPort),
    PUBLIC_URL: `http://127.0.0.1:${apiPort}`,
    TELEGRAM_BOT_TOKEN: '7000000001:chaos-chaos-chaos-chaos-chaos-chaos',
    TELEGRAM_API_ROOT: sandboxUrl,
    TELEGRAM_MESSAGES_PER_SECOND: String(SENT_PER_SECOND * run.speed),
    TELEGRAM_CHAT_GAP_MS: String(CHAT_GAP_MS / run.speed),
  };
  // Their ready lines are at the level info.
  const chatty = { ...env, LOG_LEVEL: 'info' };
  await stage.start('sandbox', 'apps/sandbox/main.ts', chatty);
  await stage.start('api', 'apps/api/main.ts', chatty);
  await stage.start('worker', 'workers/main.ts', chatty, ['telegram-message', 'otp-send']);
  await stage.start('reconciler', 'workers/main.ts', chatty, ['reconciler']);
  await setPace(sandboxUrl, run);
  const projects = await seedProjects(stage.sql, stage.env['PEPPER'] ?? '', run.broadcasts.length);
  return measure(stage, run, { apiUrl: `http://127.0.0.1:${apiPort}`, sandboxUrl, projects, tell });
}

interface Ground {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  readonly projects: readonly Project[];
  readonly tell: (line: string) => void;
}

async function setPace(sandboxUrl: string, { speed, busyShare }: TelegramRun): Promise<void> {
  const pace = {
    per_second: GRANTED_PER_SECOND * speed,
    chat_gap_ms: CHAT_GAP_MS / speed,
    busy_share: busyShare,
  };
  const answer = await fetch(`${sandboxUrl}/telegram/pace`, { method: 'PUT', body: JSON.stringify(pace) });
  if (!answer.ok) throw new Error(`the sandbox did not take the pace: ${await answer.text()}`);
}

async function measure(stage: Stage, run: TelegramRun, ground: Ground): Promise<TelegramReport> {
  const chats = run.broadcasts.map((count, project) => chatsOf(count, project));
  await addCodeRecipient(stage, ground.projects[0]);
  const cores = stage.watch();
  for (const [index, project] of ground.projects.entries())
    for (const to of sets(chats[index] ?? []))
      await post(ground, project, '/telegram/send', {
        to: to.map((chat_id) => ({ chat_id })),
        text: `of-project-${index}`,
        priority: 'bulk',
      });
  const total = chats.flat().length;
  // A third of the way, when the queue is full.
  await sleep((total / SENT_PER_SECOND / run.speed / 3) * 1_000);
  const codeMs = await sendCode(ground);
  await untilSettled(stage, total, run, ground.tell);
  const spent = cores();
  const messages = await readMessages(run.directory);
  const pace = (await (await fetch(`${ground.sandboxUrl}/telegram/pace`)).json()) as Record<string, number>;
  return readVerdict(run, chats, messages, { codeMs, cores: spent, pace });
}

/** Distinct chats, and some that get several messages: the limit of a chat must not hold up the others. */
function chatsOf(count: number, project: number): number[] {
  const first = FIRST_CHAT * (project + 1);
  const repeated = Math.floor(count * REPEATED_SHARE);
  const few = Math.max(1, Math.floor(repeated / MESSAGES_TO_A_REPEATED_CHAT));
  return Array.from({ length: count }, (_, index) => first + (index < repeated ? index % few : index));
}

/** One request tells a chat once: whoever gets several messages is in as many requests, the first of which names everybody. */
function sets(chats: readonly number[]): number[][] {
  const rounds: Set<number>[] = [];
  for (const chat of chats) {
    const round = rounds.find((round) => !round.has(chat)) ?? rounds[rounds.push(new Set()) - 1];
    round?.add(chat);
  }
  return rounds.map((round) => [...round]);
}

async function post({ apiUrl }: Ground, { key }: Project, path: string, body: object): Promise<void> {
  const answer = await fetch(apiUrl + path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 202) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
}

const CODE_CHAT = 77;

async function addCodeRecipient({ sql, env }: Stage, project: Project | undefined): Promise<void> {
  const { keyedHash } = await import('../../infra/process/crypto.ts');
  const hash = keyedHash(env['PEPPER'] ?? '')('address', CODE_PHONE);
  await sql.query(
    `insert into recipient (id, project_id, phone, address_hash, telegram_chat_id, created_at, updated_at)
     values (uuidv7(), $1, $2, $3, $4, now(), now())`,
    [project?.id, CODE_PHONE, hash, CODE_CHAT],
  );
}

const CODE_WAIT_MS = 30_000;

async function sendCode(ground: Ground): Promise<number> {
  const [project] = ground.projects;
  if (!project) throw new Error('no project');
  const startedMs = performance.now();
  await post(ground, project, '/otp/send', { to: CODE_PHONE, channels: ['telegram'] });
  for (;;) {
    const answer = await fetch(`${ground.sandboxUrl}/inbox.json?to=${CODE_CHAT}`);
    if (((await answer.json()) as unknown[]).length > 0) return Math.round(performance.now() - startedMs);
    if (performance.now() - startedMs > CODE_WAIT_MS) throw new Error('the code did not arrive');
    await sleep(10);
  }
}

const LOOK_MS = 2_000;
/** Times what it takes at the full rate: random 429s stop the bot for a second each. */
const PATIENCE = 6;

async function untilSettled(
  { sql }: Stage,
  total: number,
  run: TelegramRun,
  tell: (line: string) => void,
): Promise<void> {
  const deadline = performance.now() + (total / SENT_PER_SECOND / run.speed) * 1_000 * PATIENCE + 60_000;
  for (;;) {
    const { rows } = await sql.query<{ waiting: number }>(
      `select count(*)::int waiting from job where kind = 'telegram-message' and finished_at is null`,
    );
    const waiting = rows[0]?.waiting ?? 0;
    if (waiting === 0) return;
    if (performance.now() > deadline) return tell(`${waiting} of ${total} were not settled in time`);
    tell(`${total - waiting} of ${total}`);
    await sleep(LOOK_MS);
  }
}

async function readMessages(directory: string): Promise<Message[]> {
  // The sandbox writes within 50 ms.
  await sleep(200);
  const text = await readFile(join(directory, 'sandbox', 'messages.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.includes('"received_at"') && line.includes('of-project-'))
    .map((line) => JSON.parse(line) as Message)
    .filter((message) => message.text?.startsWith('of-project-'));
}

interface Measured {
  readonly codeMs: number;
  readonly cores: Cores;
  readonly pace: Record<string, number>;
}

function readVerdict(
  run: TelegramRun,
  chats: readonly number[][],
  messages: readonly Message[],
  measured: Measured,
): TelegramReport {
  const wanted = countBy(chats.flat().map(String));
  const got = countBy(messages.map(({ to }) => to));
  const at = messages.map(({ received_at }) => Date.parse(received_at));
  const [first, last] = [Math.min(...at), Math.max(...at)];
  const seconds = (last - first) / 1_000;
  const ends = chats.map((_, project) => Math.max(...timesOf(messages, project)));
  const firstEnd = Math.min(
    ...ends.filter((_, project) => (run.broadcasts[project] ?? 0) === Math.max(...run.broadcasts)),
  );
  const { pace } = measured;
  return {
    sent: messages.length,
    lost: [...wanted].reduce((sum, [chat, count]) => sum + Math.max(0, count - (got.get(chat) ?? 0)), 0),
    doubled: [...got].reduce((sum, [chat, count]) => sum + Math.max(0, count - (wanted.get(chat) ?? 0)), 0),
    breaches: (pace['bot_breaches'] ?? Number.NaN) + (pace['chat_breaches'] ?? Number.NaN),
    disobeyed: pace['disobeyed'] ?? Number.NaN,
    busy: pace['busy'] ?? Number.NaN,
    seconds,
    rateShare: messages.length / seconds / (GRANTED_PER_SECOND * run.speed),
    codeMs: measured.codeMs,
    projectEnds: ends.map((end) => (end - first) / (last - first)),
    sharesWhileAll: chats.map(
      (_, project) => timesOf(messages, project).filter((time) => time <= firstEnd).length,
    ),
    cores: measured.cores,
  };
}

const timesOf = (messages: readonly Message[], project: number) =>
  messages
    .filter(({ text }) => text === `of-project-${project}`)
    .map(({ received_at }) => Date.parse(received_at));

function countBy(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
