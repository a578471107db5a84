import type { Pool } from 'pg';
import type { Wake } from '../domain/job/wake.ts';
import { type JobKind, jobs } from '../domain/jobs.ts';
import type { TelegramSender } from '../domain/message/telegram/port.ts';
import { hotPool } from '../infra/postgres/engine/hot-pool.ts';
import { movesTo, telegramChats } from '../infra/postgres/message/telegram/chats.ts';
import { openClock } from '../infra/process/clock.ts';
import { readConfig } from '../infra/process/config.ts';
import type { Logger } from '../infra/process/log.ts';
import type { Tick } from '../infra/process/ticks.ts';
import { type ProcessConfig, processVariables } from '../infra/process/variables.ts';
import { guard } from '../infra/providers/provider-guard.ts';
import { telegramFromConfig } from '../infra/providers/message/from-config.ts';
import type { Provider } from '../domain/job/guard.ts';
import { producerRedis } from '../infra/queue/queues.ts';

/** Each of the four batched statements may have two batches on the way. */
const CONNECTIONS_MAX = 8;
/** Groups that become supergroups are few. */
const CHAT_CONNECTIONS_MAX = 1;

export type Role = JobKind | 'reconciler';

/** What every worker of a process stands on. */
export interface WorkerPlatform {
  readonly log: Logger;
  readonly clock: () => Date;
  /** What this role reads and nothing of the others, which its container is not given. */
  readonly configOf: <Of extends Role>(role: Of) => ProcessConfig<Of>;
  /** The bot that all queues of this process share, with its pace; null where it is off, or none speaks through it. */
  readonly bot: TelegramSender | null;
  readonly close: () => Promise<void>;
}

/** What a `wire.ts` makes of one context. */
export interface WiredWorkers {
  /** By kind. Only what this process works on is opened. */
  readonly workers?: Readonly<Partial<Record<JobKind, () => Worker | Promise<Worker>>>>;
  /** By name: what runs beside the reconciler, over its pool. */
  readonly ticks?: (pool: Pool) => Readonly<Record<string, Tick>>;
}

export interface Worker {
  readonly wake: Wake;
  readonly close: () => Promise<void>;
}

export async function openWorkerPlatform(
  env: NodeJS.ProcessEnv,
  config: Parameters<typeof openClock>[0],
  roles: readonly Role[],
  log: Logger,
): Promise<WorkerPlatform> {
  const { clock, close } = await openClock(config, log);
  const configOf: WorkerPlatform['configOf'] = (role) => readConfig(env, processVariables[role]);
  const spoken = roles.find(speaks);
  if (spoken === undefined) return { log, clock, configOf, bot: null, close };
  const opened = await openBot(configOf(spoken), log, clock);
  return {
    log,
    clock,
    configOf,
    bot: opened.bot,
    close: async () => {
      await opened.close();
      await close();
    },
  };
}

/** Those that speak through the bot, of the products that are here. */
type SpokenRole = Extract<Role, 'otp-send' | 'telegram-message'>;
const spokenRoles: ReadonlySet<string> = new Set(['otp-send', 'telegram-message']);
const speaks = (role: Role): role is SpokenRole => spokenRoles.has(role);

async function openBot(
  config: ProcessConfig<'telegram-message'>,
  log: Logger,
  clock: () => Date,
): Promise<Pick<WorkerPlatform, 'bot' | 'close'>> {
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
