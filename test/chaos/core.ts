import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { jobKinds } from '../../domain/jobs.ts';
import { readConfig } from '../../infra/process/config.ts';
import { rowEncryption } from '../../infra/process/crypto.ts';
import { AcceptedList } from './support/accepted-list.ts';
import { chatAt, phoneAt, tokenAt } from './support/destinations.ts';
import { type Dice, dice } from './support/dice.ts';
import { type Installation, install } from './support/installation.ts';
import { readVerdict, type PausedWindow, type Verdict } from './support/verdict.ts';
import { Load } from './support/load.ts';
import { type Receiver, startReceiver } from './support/receiver.ts';
import type { Member } from './support/member.ts';
import { type Strike, Strikes, type StrikeKind } from './support/strikes.ts';

export interface CoreOptions {
  readonly seed: number;
  readonly directory: string;
  /** How long the load lasts at least; each of these faults strikes at least once, however short that is. */
  readonly seconds: number;
  readonly faults: readonly ServerFault[];
  readonly redisAwayMs: number;
  /** Jobs that wait in a paused queue when Redis is wiped. */
  readonly waiting: number;
  readonly tell: (line: string) => void;
}

export const serverFaults = [
  'redis stopped',
  'redis killed',
  'redis wiped',
  'redis restored from an older file',
  'postgres ended at once',
  'postgres ended fast',
  'postgres killed',
  'redis wiped while paused',
] as const;
export type ServerFault = (typeof serverFaults)[number];

export interface CoreReport extends Verdict {
  readonly seed: number;
  readonly asked: number;
  readonly answered202: number;
  readonly retries: number;
  readonly strikes: Partial<Record<StrikeKind, number>>;
  /** From the last fault, or the last 202 if that was later, to the last final state. */
  readonly settledWithinMs: number;
  /** How long that may take, with what was left when the faults were over. */
  readonly settledWithinMsMax: number;
  readonly left: number;
  readonly tookSeconds: number;
}

/**
 * Everything must be in its final state so long after the last fault: two stalled checks, the reconciler's wait, an audit, both
 * pauses of a push that failed twice (10 s and 20 s), and for what had piled up 20 ms a job, which is a tenth of what two
 * idle cores do.
 */
const SETTLED_WITHIN_MS = 75_000;
const SETTLED_MS_A_JOB = 20;
const RATE_PER_SECOND = 60;
const TELEGRAM_PEOPLE = 2_000;
/** A lock lasts 5 s and is looked for every 2 s: a worker frozen for longer has lost its queue entries. */
const FROZEN_MS = [7_500, 9_000] as const;
/** Between two kills of processes. */
const KILL_GAP_MS = [800, 2_500] as const;
/** Between two faults of a server, so that each strikes a system that works. */
const SERVER_GAP_MS = [1_000, 2_500] as const;
/** A paused queue takes no more traffic than this after a wipe, before it is looked at. */
const WIPED_TRAFFIC_MS = 2_500;
const PAUSE_KNOWN_WITHIN_MS = 5_000;

interface Run {
  readonly options: CoreOptions;
  readonly house: Installation;
  readonly receiver: Receiver;
  readonly load: Load;
  readonly strikes: Strikes;
  readonly windows: PausedWindow[];
  readonly problems: string[];
  readonly chance: Dice;
  /** No worker may stand still now: what it has in hand, it would send when it goes on, in the middle of a pause. */
  readonly truce: { asked: boolean; frozen: boolean };
}

/** One run: load, faults by the seed, and the verdict. `cut` ends it early, with all that it has started. */
export async function runCore(options: CoreOptions, cut?: AbortSignal): Promise<CoreReport> {
  const startedMs = performance.now();
  const shape = { apis: 2, workers: 2, reconcilers: 2, kinds: jobKinds, telegramPeople: TELEGRAM_PEOPLE };
  const house = await install(options.directory, shape);
  cut?.addEventListener('abort', () => void house.close());
  const receiver = await startReceiver();
  const list = await AcceptedList.open(join(options.directory, 'accepted.jsonl'));
  try {
    await orderProviderFaults(house);
    await addEndpoint(house, receiver.url);
    const load = new Load({
      urls: house.apiUrls,
      apiKey: house.project.key,
      list,
      people: house.people,
      callbackUrl: receiver.url,
      ratePerSecond: RATE_PER_SECOND,
    });
    const chance = dice(options.seed);
    const truce = { asked: false, frozen: false };
    const run: Run = {
      options,
      house,
      receiver,
      load,
      strikes: new Strikes(),
      windows: [],
      problems: [],
      chance,
      truce,
    };
    options.tell(`installed in ${seconds(startedMs)} s`);
    await play(run);
    options.tell(`faults over after ${seconds(startedMs)} s; ${list.all.length} answers of 202`);
    const settling = await untilSettled(run);
    options.tell(`settled ${settling.settledWithinMs} ms later, with ${settling.left} jobs left`);
    return await report(run, list, settling, startedMs);
  } finally {
    await list.close();
    await house.close();
    await receiver.close();
  }
}

const seconds = (sinceMs: number) => Number(((performance.now() - sinceMs) / 1_000).toFixed(1));

async function play(run: Run): Promise<void> {
  const { options, load } = run;
  const over = new AbortController();
  load.start();
  const startedMs = performance.now();
  const kills = killAtRandom(run, over.signal);
  const freezes = freezeAtRandom(run, over.signal);
  do await strikeServers(run);
  while (performance.now() - startedMs < options.seconds * 1_000);
  over.abort();
  await Promise.all([kills, freezes]);
  await load.stop();
}

/** Codes are reported to callbacks of their own, one in some: a place takes some tens of calls a second, and fewer after a freeze. */
async function addEndpoint({ apiUrls, project }: Installation, url: string): Promise<void> {
  const answer = await fetch(`${apiUrls[0]}/webhooks/endpoints`, {
    method: 'POST',
    headers: { authorization: `Bearer ${project.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url, event_types: ['broadcast.finished', 'message.failed'] }),
  });
  if (answer.status !== 201) throw new Error(`no endpoint was made: ${await answer.text()}`);
}

/** Attempts that last a while, also those that are refused, so that kills strike open ones; some numbers that fail once, some for good. */
async function orderProviderFaults({ sandboxUrl }: Installation): Promise<void> {
  const PHONES = 6_000;
  const numbers = Array.from({ length: PHONES }, (_, index) => index);
  const orders = [
    { channel: 'sms', to: '*', effect: 'slow', delay_ms: 250 },
    { channel: 'telegram', to: '*', effect: 'slow', delay_ms: 400 },
    { channel: 'push', to: '*', effect: 'slow', delay_ms: 300 },
    ...numbers
      .filter((index) => index % 19 === 0)
      .map((index) => ({ channel: 'sms', to: phoneAt(index), effect: 'server-error', times: 1 })),
    ...numbers
      .filter((index) => index % 43 === 1)
      .map((index) => ({ channel: 'sms', to: phoneAt(index), effect: 'reject', code: 21610, delay_ms: 250 })),
    ...messageFaults(),
  ];
  const answer = await fetch(`${sandboxUrl}/faults`, { method: 'PUT', body: JSON.stringify(orders) });
  if (!answer.ok) throw new Error(`the sandbox refused its faults: ${await answer.text()}`);
}

/** The same for messages: every 19th address fails once, every 43rd for good. */
function messageFaults(): object[] {
  const ADDRESSES = 2_000;
  const numbers = Array.from({ length: ADDRESSES }, (_, index) => index);
  const places = [
    { channel: 'telegram', addressOf: (index: number) => String(chatAt(index)), code: 'blocked' },
    { channel: 'push', addressOf: tokenAt, code: 'UNREGISTERED' },
  ];
  return places.flatMap(({ channel, addressOf, code }) => [
    ...numbers
      .filter((index) => index % 19 === 0)
      .map((index) => ({ channel, to: addressOf(index), effect: 'server-error', times: 1 })),
    ...numbers
      .filter((index) => index % 43 === 1)
      .map((index) => ({ channel, to: addressOf(index), effect: 'reject', code })),
  ]);
}

/** `kill -9` of whoever is up: workers mostly, then apis, now and then a reconciler. */
async function killAtRandom({ house, strikes, chance }: Run, over: AbortSignal): Promise<void> {
  const kinds = [
    ...Array.from({ length: 5 }, () => 'worker' as const),
    ...Array.from({ length: 3 }, () => 'api' as const),
    'reconciler' as const,
  ] as const;
  while (!over.aborted) {
    await sleep(chance.whole(...KILL_GAP_MS));
    const role = chance.pick(kinds as unknown as ['worker' | 'api' | 'reconciler']);
    const up = house.of(role).filter(({ isUp }) => isUp);
    const victim = up.length > 0 ? up[chance.whole(0, up.length - 1)] : undefined;
    if (victim) await strikes.record(`kill-${role}`, victim.spec.name, () => victim.kill());
  }
}

/** A worker that stands still for longer than its locks last, and then goes on as if nothing had been. */
async function freezeAtRandom({ house, strikes, chance, truce }: Run, over: AbortSignal): Promise<void> {
  do {
    const victim = await anyUp(house.of('worker'), chance, over);
    if (!victim) return;
    if (truce.asked) {
      await sleep(100);
      continue;
    }
    truce.frozen = true;
    await strikes.record('freeze-worker', victim.spec.name, async () => {
      victim.freeze();
      await sleep(chance.whole(...FROZEN_MS));
      victim.thaw();
    });
    truce.frozen = false;
    await sleep(chance.whole(1_000, 4_000));
  } while (!over.aborted);
}

async function anyUp(
  members: readonly Member[],
  chance: Dice,
  over: AbortSignal,
): Promise<Member | undefined> {
  for (;;) {
    const up = members.filter(({ isUp }) => isUp);
    if (up.length > 0) return up[chance.whole(0, up.length - 1)];
    if (over.aborted) return undefined;
    await sleep(100);
  }
}

/** Each fault of a server once, in the seed's order. */
async function strikeServers(run: Run): Promise<void> {
  const { house, strikes, chance, options } = run;
  const { servers } = house;
  const faults: Readonly<Record<ServerFault, () => Promise<void>>> = {
    'redis stopped': () =>
      strikes.record('redis-stopped', 'redis', () => servers.stopRedis(options.redisAwayMs)),
    'redis killed': () => strikes.record('redis-killed', 'redis', () => servers.killRedis()),
    'redis wiped': () => strikes.record('redis-wiped', 'redis', () => servers.flushRedis()),
    'redis restored from an older file': async () => {
      const restore = await servers.copyRedis();
      await sleep(1_000);
      await strikes.record('redis-restored', 'redis', restore);
    },
    'postgres ended at once': () =>
      strikes.record('postgres-immediate', 'postgres', () => servers.restartPostgres('immediate')),
    'postgres ended fast': () =>
      strikes.record('postgres-fast', 'postgres', () => servers.restartPostgres('fast')),
    'postgres killed': () =>
      strikes.record('postgres-kill', 'postgres', () => servers.restartPostgres('kill')),
    'redis wiped while paused': () => wipeWhilePaused(run),
  };
  for (const name of chance.shuffled(options.faults)) {
    await sleep(chance.whole(...SERVER_GAP_MS));
    options.tell(`  ${name}`);
    await faults[name]();
  }
}

/**
 * Pauses the queues of codes and of Telegram messages, lets jobs pile up, wipes Redis under traffic, and puts a file in its place from before the pause.
 * Nothing of theirs may be sent until they are resumed.
 */
async function wipeWhilePaused(run: Run): Promise<void> {
  const { house, load, strikes, windows, problems, options, truce } = run;
  const { servers, pool } = house;
  truce.asked = true;
  while (truce.frozen) await sleep(100);
  const restore = await servers.copyRedis();
  await retried(() => pool.query(pauseQueues, [pausedKinds]));
  const fromMs = await untilPaused(house);
  const notPaused = async (when: string) => {
    const knownMs = performance.now() + PAUSE_KNOWN_WITHIN_MS;
    while (!(await isPaused(house.servers.redisUrl))) {
      if (performance.now() > knownMs) return void problems.push(`the queues were not paused ${when}`);
      await sleep(50);
    }
  };

  await load.burst(options.waiting);
  await strikes.record('redis-wiped', 'redis', () => servers.flushRedis());
  await sleep(WIPED_TRAFFIC_MS);
  await notPaused('after the wipe');
  await strikes.record('redis-restored', 'redis', restore);
  await sleep(WIPED_TRAFFIC_MS);
  await notPaused('after the restart from an older file');
  windows.push({ fromMs, toMs: Date.now(), kinds: pausedKinds });
  await retried(() => pool.query(resumeQueues, [pausedKinds]));
  truce.asked = false;
}

const pausedKinds = ['otp-send', 'telegram-message'] as const;
const pauseQueues = `
insert into queue (kind, paused_at, paused_by) select kind, now(), 'chaos' from unnest($1::text[]) kind
on conflict (kind) do update set paused_at = now()`;
const resumeQueues = 'update queue set paused_at = null where kind = any($1)';

/** The row says so, Redis says so, and for 2 s nobody has begun anything: what a killed worker left open stays so. */
async function untilPaused({ servers, pool }: Installation): Promise<number> {
  const quiet = `select not exists (
    select from attempt a join job j on j.id = a.job_id where a.opened_at > now() - interval '2 s' and j.kind = any($1)) quiet`;
  for (;;) {
    await sleep(100);
    if (!(await isPaused(servers.redisUrl))) continue;
    const { rows } = await retried(() => pool.query<{ quiet: boolean }>(quiet, [pausedKinds]));
    if (rows[0]?.quiet) return Date.now();
  }
}

async function isPaused(redisUrl: string): Promise<boolean> {
  const client = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    const paused = pausedKinds.map((kind) => client.hexists(`{${kind}}:${kind}:meta`, 'paused'));
    return (await Promise.all(paused)).every((flag) => flag === 1);
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** Postgres may just be restarting. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  const TRIES = 50;
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === TRIES) throw error;
      await sleep(100);
    }
  }
}

type Settling = Pick<CoreReport, 'settledWithinMs' | 'settledWithinMsMax' | 'left'>;

/** A callback of which two tries were struck waits five minutes for its third, and a message ends after its last job. */
const countLeft = `
select ((select count(*) from job where finished_at is null and not (kind = 'webhook' and attempts > 1 and run_at > now() + interval '1 min'))
  + (select count(*) from broadcast where finished_at is null))::int left`;

/** How long it took from now until no job was left; the check names those that are left when the time is up. */
async function untilSettled({ house }: Run): Promise<Settling> {
  const startedMs = performance.now();
  const unfinished = async () => {
    return (await retried(() => house.pool.query<{ left: number }>(countLeft))).rows[0]?.left ?? 0;
  };
  const left = await unfinished();
  const settledWithinMsMax = SETTLED_WITHIN_MS + left * SETTLED_MS_A_JOB;
  for (;;) {
    const isSettled = (await unfinished()) === 0;
    const settledWithinMs = Math.round(performance.now() - startedMs);
    if (isSettled || settledWithinMs > settledWithinMsMax)
      return { settledWithinMs, settledWithinMsMax, left };
    await sleep(200);
  }
}

async function report(
  { house, receiver, load, strikes, windows, problems, options }: Run,
  list: AcceptedList,
  settling: Settling,
  startedMs: number,
): Promise<CoreReport> {
  // What the sandbox gathers for one write is on the disk by then.
  await sleep(200);
  const verdict = await readVerdict({
    pool: house.pool,
    accepted: list.all,
    messagesFile: house.messagesFile,
    received: receiver.received,
    encryption: rowEncryption(readConfig(house.env, ['ENCRYPTION_KEYS']).ENCRYPTION_KEYS),
    strikes: strikes.all as readonly Strike[],
    pausedWindows: windows,
    starved: await starvedJobs(house),
  });
  return {
    seed: options.seed,
    asked: load.asked,
    answered202: list.all.length,
    retries: load.retried,
    strikes: strikes.counts(),
    ...settling,
    tookSeconds: seconds(startedMs),
    ...verdict,
    problems: [
      ...problems,
      ...verdict.problems,
      ...house.members.flatMap(({ crashes }) => crashes),
      ...refusals(load),
    ],
  };
}

/** What the workers' own logs say of locks that they could not keep: with nothing killed, the machine was too slow. */
async function starvedJobs(house: Installation): Promise<ReadonlySet<string>> {
  const logs = await Promise.all(house.of('worker').map(({ spec }) => readFile(spec.logFile, 'utf8')));
  const lost = logs.flatMap((log) => [...log.matchAll(/could not renew lock for job ([0-9a-f-]{36})/g)]);
  return new Set(lost.map(([, id = '']) => id));
}

function refusals({ refused, unanswered }: Load): string[] {
  return [
    ...(refused.length > 0 ? [`${refused.length} requests were refused, such as ${refused[0]}`] : []),
    ...(unanswered.length > 0
      ? [`${unanswered.length} requests got no answer, such as ${unanswered[0]}`]
      : []),
  ];
}
