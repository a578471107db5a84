import type { Pool } from 'pg';
import type { Wake } from '../domain/job/wake.ts';
import { type JobKind, jobs } from '../domain/jobs.ts';
import type { JobId } from '../domain/shared/ids.ts';
import type { Phone } from '../domain/shared/phone.ts';
import type { TelegramSender } from '../domain/telegram/port.ts';
import { hotPool } from '../infra/postgres/engine/hot-pool.ts';
import { movesTo, telegramChats } from '../infra/postgres/telegram/chats.ts';
import { openClock } from '../infra/process/clock.ts';
import { type ConfigOf, readConfig } from '../infra/process/config.ts';
import type { Logger } from '../infra/process/log.ts';
import type { Tick } from '../infra/process/ticks.ts';
import {
  type botVariables,
  type ProcessConfig,
  processVariables,
  type smsVariables,
} from '../infra/process/variables.ts';
import { guard } from '../infra/providers/provider-guard.ts';
import { telegramFromConfig } from '../infra/providers/telegram/from-config.ts';
import type { Provider } from '../domain/job/guard.ts';
import { producerRedis } from '../infra/queue/queues.ts';

/** Each of the four batched statements may have two batches on the way. */
const CONNECTIONS_MAX = 8;
/** Groups that become supergroups are few. */
const CHAT_CONNECTIONS_MAX = 1;

type BotConfig = ConfigOf<(typeof botVariables)[number] | 'DATABASE_URL' | 'REDIS_URL'>;
export type Role = JobKind | 'reconciler';

/** What every worker of a process stands on. */
export interface WorkerPlatform {
  readonly log: Logger;
  readonly clock: () => Date;
  /** What this role reads and nothing of the others, which its container is not given. */
  readonly configOf: <Of extends Role>(role: Of) => ProcessConfig<Of>;
  /** The bot that all queues of this process share, with its pace; opened for the first that asks, null where it is off. */
  readonly bot: (config: BotConfig) => Promise<TelegramSender | null>;
  readonly close: () => Promise<void>;
}

/** A text for a phone, of whatever product. */
export interface SmsText {
  readonly jobId: JobId;
  /** The attempt's number, from 1. */
  readonly attempt: number;
  readonly phone: Phone;
  readonly text: string;
  /** After so long it is of no use any more. */
  readonly ttlSeconds: number;
}

/** What sends SMS, for products that have no provider of their own. */
export interface SmsSenders {
  /** The names of those that carry SMS to this number, in the order in which they are tried; none where none does. */
  readonly routeOf: (phone: Phone) => readonly string[];
  /** By name. Each tells what an SMS costs. */
  readonly providers: ReadonlyMap<string, Provider<SmsText, 'sms'>>;
}

export type SmsConfig = ConfigOf<(typeof smsVariables)[number] | 'DATABASE_URL' | 'PUBLIC_URL'>;
/** Null where no account is set. The pool is its caller's. */
export type OpenSms = (platform: WorkerPlatform, config: SmsConfig, pool: Pool) => Promise<SmsSenders | null>;

/** What contexts offer those that stand behind them in `modules.ts`. */
export interface Offers {
  readonly sms?: OpenSms;
}

type Ticks = Readonly<Record<string, Tick>>;

/** What a `wire.ts` makes of one context. */
export interface WiredWorkers {
  /** By kind. Only what this process works on is opened. */
  readonly workers?: Readonly<Partial<Record<JobKind, () => Worker | Promise<Worker>>>>;
  /** By name: what runs beside the reconciler, over its pool. */
  readonly ticks?: (pool: Pool) => Ticks | Promise<Ticks>;
  readonly offers?: Offers;
}

export interface Worker {
  readonly wake: Wake;
  readonly close: () => Promise<void>;
}

export async function openWorkerPlatform(
  env: NodeJS.ProcessEnv,
  config: Parameters<typeof openClock>[0],
  log: Logger,
): Promise<WorkerPlatform> {
  const { clock, close } = await openClock(config, log);
  let opened: ReturnType<typeof openBot> | null = null;
  return {
    log,
    clock,
    configOf: (role) => readConfig(env, processVariables[role]),
    bot: async (botConfig) => (await (opened ??= openBot(botConfig, log, clock))).bot,
    close: async () => {
      await (await opened)?.close();
      await close();
    },
  };
}

async function openBot(config: BotConfig, log: Logger, clock: () => Date) {
  const redis = producerRedis(config.REDIS_URL, (err) => log.warn({ err }, 'redis error'));
  const onError = (err: Error) => log.warn({ err }, 'the pace of the bot is kept by this process alone');
  const pool = hotPool(config.DATABASE_URL, CHAT_CONNECTIONS_MAX);
  const onMoved = movesTo(telegramChats(pool), clock, (err) =>
    log.warn({ err }, 'a move of a chat was not recorded'),
  );
  const close = async () => {
    redis.disconnect();
    await pool.end();
  };
  return { bot: await telegramFromConfig(config, redis, onError, onMoved), close };
}

/** A pool of the worker's own. */
export const workerPool = ({ DATABASE_URL }: { readonly DATABASE_URL: string }): Pool =>
  hotPool(DATABASE_URL, CONNECTIONS_MAX);

/** A kind with one provider has nobody to protect from it: it may use every place. */
export function whole<Work>(kind: JobKind, provider: Provider<Work>, clock: () => Date) {
  return guard(provider, { inFlightMax: jobs[kind].concurrency, clock });
}

/** The intake refuses what has no provider; what was accepted before it was switched off is told so. */
export function missing<Work>(channel: string): Provider<Work> {
  return {
    channel,
    provider: 'none',
    send: () => Promise.resolve({ kind: 'refused', reason: 'credentials', addressIsDead: false }),
  };
}
