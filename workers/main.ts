import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { type CallbackName, callbackPath } from '../domain/verify/callback.ts';
import type { Channel } from '../domain/verify/channel.ts';
import type { TelegramSender } from '../domain/message/telegram/port.ts';
import type { GuardedChannel } from '../domain/verify/guard.ts';
import type { PushWork } from '../domain/message/broadcast/work.ts';
import type { JobDefinition } from '../domain/job/define-job.ts';
import { type JobKind, jobKinds, jobs } from '../domain/jobs.ts';
import type { Provider } from '../domain/job/guard.ts';
import type { JobId } from '../domain/job/job.ts';
import type { Wake } from '../domain/job/wake.ts';
import { codeOf } from '../infra/verify/codes.ts';
import { ConfigError, readConfig } from '../infra/process/config.ts';
import { environment } from '../infra/process/environment.ts';
import { type ProcessConfig, processVariables } from '../infra/process/variables.ts';
import { keyedHash, sealer } from '../infra/process/crypto.ts';
import { type Logger, openLog } from '../infra/process/log.ts';
import { type Outage, outage } from '../infra/process/outage.ts';
import { tellJobs } from '../infra/process/tell-jobs.ts';
import { type Beat, beat, endBeat } from '../infra/postgres/job/heartbeats.ts';
import { jobStore } from '../infra/postgres/job/attempts.ts';
import { broadcastIntake } from '../infra/postgres/message/broadcast/intake.ts';
import { foldTallies } from '../infra/postgres/message/broadcast/broadcasts.ts';
import { hotPool, schedulerPool } from '../infra/postgres/engine/hot-pool.ts';
import { deadTokens, pushJobs, telegramJobs } from '../infra/postgres/message/broadcast/message-jobs.ts';
import { notices } from '../infra/postgres/identity/approval/notices.ts';
import { movesTo, reopenChats, telegramChats } from '../infra/postgres/message/telegram/chats.ts';
import { otpJobs } from '../infra/postgres/verify/otp-jobs.ts';
import { ownApp } from '../infra/postgres/identity/approval/own-app.ts';
import { paidAttempts } from '../infra/postgres/verify/paid-attempts.ts';
import { projectCache } from '../infra/postgres/project/cache.ts';
import { release } from '../infra/postgres/job/scheduler.ts';
import { sweepQueries } from '../infra/postgres/job/reconciler.ts';
import { retentions } from '../infra/postgres/retentions.ts';
import { linesOf, settles } from '../infra/postgres/settles.ts';
import { webhookJobs } from '../infra/postgres/webhook/jobs.ts';
import { guard } from '../infra/providers/provider-guard.ts';
import {
  channelsFromConfig,
  configuredChannels,
  pushFromConfig,
  telegramFromConfig,
} from '../infra/providers/verify/channels.ts';
import { startLane } from '../infra/queue/queue-worker.ts';
import {
  closeQueues,
  isConnectionLoss,
  openQueues,
  producerRedis,
  workerRedis,
} from '../infra/queue/queues.ts';
import { releaseQueues } from '../infra/queue/scheduler-queues.ts';
import { sweepRedis } from '../infra/queue/reconciler-redis.ts';
import { runProcess } from '../infra/process/run.ts';
import { webhookCaller } from '../infra/webhook/call.ts';
import { addressRule, systemResolve } from '../infra/webhook/resolve.ts';
import { signWebhook } from '../infra/webhook/sign.ts';
import { webhookTargets } from '../infra/webhook/targets.ts';
import { serveMetrics } from '../infra/process/worker-metrics.ts';
import { announcer } from './identity/notifier.ts';
import { identityCodeTexts } from '../domain/identity/code-texts.ts';
import { otpSendWake } from './verify/otp-send.ts';
import { pruneDeadToken } from './message/push.ts';
import { releaser, scheduledQueues } from './engine/scheduler.ts';
import { singleWake } from './engine/single.ts';
import { webhookCalls } from './webhook/webhook.ts';
import { sweep } from './engine/reconciler.ts';
import { closeDeadChat, telegramMessages } from './message/telegram-message.ts';

/** Each of the four batched statements may have two batches on the way. */
const CONNECTIONS_MAX = 8;
/** A quarter of the lane for each provider: one that hangs leaves three quarters free. */
const PROVIDER_SHARE = 0.25;
/** An attempt in flight ends within its own time-out; what takes longer comes back as a stalled ticket. */
const DRAIN_GRACE_MS = 12_000;
/** Between two rounds of the sweep, and after a round that failed. */
const TICK_MS = 1_000;

/** Nobody watches a callback, and the statements of 24 calls cost Postgres no more than twice those of one (6.7 ms and 3.3 ms). */
const WEBHOOK_GATHER_MS = { before: 10, after: 40 };

const SWEEP_CONNECTIONS_MAX = 4;

const now = () => new Date();
/** For each provider of codes. */
const fairShare = { inFlightMax: Math.floor(jobs['otp-send'].concurrency * PROVIDER_SHARE), clock: now };

type Role = JobKind | 'sweep';

interface Platform<Of extends Role> {
  /** What this role reads and nothing of the others, which its container is not given. */
  readonly config: ProcessConfig<Of>;
  readonly log: Logger;
  /** The bot that all lanes of this process share, with its pace; null where it is off, or no lane speaks through it. */
  readonly bot: TelegramSender | null;
}
type Stop = () => Promise<void>;
interface Wired {
  readonly wake: Wake;
  readonly stop: Stop;
}

/** What all roles of a process share. */
interface Shared extends Pick<Platform<Role>, 'log' | 'bot'> {
  readonly env: NodeJS.ProcessEnv;
  readonly queueOutage: Outage;
}

/** One line a lane: what wakes its jobs. Only the chosen lanes' providers are built. */
const lanes = {
  'otp-send': (shared) => otpSendLane(platformOf('otp-send', shared)),
  'telegram-message': (shared) => telegramLane(platformOf('telegram-message', shared)),
  push: (shared) => pushLane(platformOf('push', shared)),
  webhook: (shared) => webhookLane(platformOf('webhook', shared)),
} satisfies Record<JobKind, (shared: Shared) => Promise<Wired> | Wired>;

function platformOf<Of extends Role>(role: Of, { env, log, bot }: Shared): Platform<Of> {
  return { config: readConfig(env, processVariables[role]), log, bot };
}

/** The lanes that speak through the bot. */
const spokenLanes = ['otp-send', 'telegram-message'] as const;

/** Groups that become supergroups are few. */
const CHAT_CONNECTIONS_MAX = 1;

/** `npm run worker -- [kind…]`: the lanes that are named, and the sweep where it is; all of it where nothing is. */
await runProcess(async () => {
  const chosen = chooseRoles(process.argv.slice(2));
  const env = environment();
  // Of all roles together, so that what is missing is named at once.
  const config = readConfig(
    env,
    chosen.flatMap((role) => processVariables[role]),
  );
  const log = openLog(`worker ${chosen.join(' ')}`, config.LOG_LEVEL);
  const { bot, close } = await openBot(env, chosen, log);
  const queueOutage = outage({
    lost: (err, times) => log.warn({ err, times }, 'queue error'),
    back: (awayMs, times) => log.info({ away_ms: Math.round(awayMs), times }, 'queues are back'),
  });
  const shared = { env, log, bot, queueOutage };
  const stops = [await serveMetrics(config)];
  const life = { id: randomUUID(), roles: chosen, sweptAt: null };
  for (const role of chosen)
    stops.push(role === 'sweep' ? startSweep(platformOf('sweep', shared), life) : await start(role, shared));
  stops.push(startBeats(config.DATABASE_URL, log, life));
  log.info({ roles: chosen }, 'worker ready');
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
    await close();
    log.info('worker stopped');
  };
});

async function openBot(env: NodeJS.ProcessEnv, chosen: readonly Role[], log: Logger) {
  const spoken = spokenLanes.find((lane) => chosen.includes(lane));
  if (spoken === undefined) return { bot: null, close: async () => undefined };
  const config = readConfig(env, processVariables[spoken]);
  const redis = producerRedis(config.REDIS_URL, (err) => log.warn({ err }, 'redis error'));
  const onError = (err: Error) => log.warn({ err }, 'the pace of the bot is kept by this process alone');
  const chatPool = hotPool(config.DATABASE_URL, CHAT_CONNECTIONS_MAX);
  const onMoved = movesTo(telegramChats(chatPool), now, (err) =>
    log.warn({ err }, 'a move of a chat was not recorded'),
  );
  const close = async () => {
    redis.disconnect();
    await chatPool.end();
  };
  return { bot: await telegramFromConfig(config, redis, onError, onMoved), close };
}

function chooseRoles(names: readonly string[]): readonly Role[] {
  const roles: readonly Role[] = [...jobKinds, 'sweep'];
  const unknown = names.filter((name) => !roles.some((role) => role === name));
  if (unknown.length > 0)
    throw new ConfigError(`no such kind: ${unknown.join(', ')}; expected any of ${roles.join(', ')}`);
  return names.length === 0 ? roles : roles.filter((role) => names.includes(role));
}

async function start(kind: JobKind, shared: Shared): Promise<Stop> {
  const { queueOutage } = shared;
  const { config, log } = platformOf(kind, shared);
  const { wake, stop } = await lanes[kind](shared);
  const connection = workerRedis(config.REDIS_URL, (err) => queueOutage.lost(kind, err));
  connection.on('ready', () => queueOutage.back(kind));
  // BullMQ has a connection of its own besides, which is lost a moment earlier and back a moment later.
  const onError = (err: Error) => {
    if (connection.status !== 'ready') queueOutage.lost(kind, err);
    else if (isConnectionLoss(err)) log.debug({ err, kind }, 'connection lost');
    else log.warn({ err, kind }, 'queue error');
  };
  const onSurprise = (err: Error, jobId: string) =>
    log.error({ err, kind, job_id: jobId }, 'a job met an unexpected error');
  const lane = startLane({
    kind,
    wake,
    concurrency: jobs[kind].concurrency,
    connection,
    onSurprise,
    onError,
  });
  return async () => {
    await lane.drain(DRAIN_GRACE_MS);
    connection.disconnect();
    await stop();
  };
}

async function otpSendLane(platform: Platform<'otp-send'>): Promise<Wired> {
  const { config } = platform;
  const pool = hotPool(config.DATABASE_URL, CONNECTIONS_MAX);
  const wake = otpSendWake({
    jobs: otpJobs(pool, sealer(config.SEAL_KEYS)),
    store: jobStore(pool, now, settles['otp-send']),
    paid: paidAttempts(pool, now, ({ projectId, spend, budget }) =>
      platform.log.warn(
        {
          project_id: projectId,
          spent_micros: spend.spentMicros,
          publishable_spent_micros: spend.strangerMicros,
          budget_micros: budget.budgetMicros,
        },
        "half of the project's daily budget for paid messages is spent",
      ),
    ),
    chats: telegramChats(pool),
    channels: await guardedChannels(platform),
    ownApp: configuredChannels(config).has('push') ? guard(ownApp(pool, now), fairShare) : null,
    project: projectCache(pool),
    purposeTexts: identityCodeTexts,
    codeOf: codeOf(config.CODE_KEYS),
    now,
    random: Math.random,
    ...tellJobs(platform.log, 'otp-send'),
  });
  return { wake, stop: () => pool.end() };
}

function telegramLane(platform: Platform<'telegram-message'>): Wired {
  const { config, bot } = platform;
  const pool = hotPool(config.DATABASE_URL, CONNECTIONS_MAX);
  const provider = whole('telegram-message', bot ? telegramMessages(bot) : missing('telegram'));
  const wake = singleWake({
    ...single(jobs['telegram-message']),
    read: telegramJobs(pool),
    store: jobStore(pool, now, settles['telegram-message']),
    providerOf: () => provider,
    afterReply: closeDeadChat(telegramChats(pool), now),
    ...tellJobs(platform.log, 'telegram-message'),
  });
  return { wake, stop: () => pool.end() };
}

async function pushLane(platform: Platform<'push'>): Promise<Wired> {
  const { config } = platform;
  const seal = sealer(config.SEAL_KEYS);
  const pool = hotPool(config.DATABASE_URL, CONNECTIONS_MAX);
  const provider = whole('push', (await pushFromConfig(config)) ?? missing<PushWork>('push'));
  const wake = singleWake({
    ...single(jobs.push),
    read: pushJobs(pool, seal),
    store: jobStore(pool, now, settles.push),
    providerOf: () => provider,
    afterReply: pruneDeadToken(deadTokens(pool, seal)),
    ...tellJobs(platform.log, 'push'),
  });
  return { wake, stop: () => pool.end() };
}

/** Each endpoint is a provider of its own: the bulkheads are made as they are met. */
function webhookLane(platform: Platform<'webhook'>): Wired {
  const { config } = platform;
  const pool = hotPool(config.DATABASE_URL, CONNECTIONS_MAX);
  const events = webhookJobs(pool, sealer(config.SEAL_KEYS), now, WEBHOOK_GATHER_MS);
  const rules = { allowPrivate: config.WEBHOOK_ALLOW_PRIVATE };
  const { call, close } = webhookCaller({ rules, resolve: systemResolve(), isAllowed: addressRule(rules) });
  const calls = webhookCalls({ call, sign: signWebhook, record: events.record, now });
  const wake = singleWake({
    ...single(jobs.webhook),
    read: events.read,
    store: jobStore(pool, now, settles.webhook, WEBHOOK_GATHER_MS),
    providerOf: webhookTargets(calls.provider, now),
    afterReply: (_job, work) => calls.recorded(work),
    ...tellJobs(platform.log, 'webhook'),
  });
  return { wake, stop: () => Promise.all([close(), pool.end()]).then(() => undefined) };
}

/** A lane with one provider has nobody to protect from it: it may use every place. */
function whole<Work>(kind: JobKind, provider: Provider<Work>) {
  return guard(provider, { inFlightMax: jobs[kind].concurrency, clock: now });
}

/** The intake refuses what has no provider; what was accepted before it was switched off is told so. */
function missing<Work>(channel: string): Provider<Work> {
  return {
    channel,
    provider: 'none',
    send: () => Promise.resolve({ reply: 'refused', reason: 'credentials', addressIsDead: false }),
  };
}

function single(definition: JobDefinition) {
  return { definition, now, random: Math.random };
}

async function guardedChannels({
  config,
  bot,
}: Platform<'otp-send'>): Promise<ReadonlyMap<Channel, GuardedChannel>> {
  const url = (name: CallbackName) => (jobId: JobId, attempt: number) =>
    config.PUBLIC_URL + callbackPath(name, jobId, attempt);
  const urls = { sms: url('twilio'), 'telegram-gateway': url('telegram-gateway') };
  const found = await channelsFromConfig(config, urls, bot);
  return new Map(Object.values(found).map((channel) => [channel.channel, guard(channel, fairShare)]));
}

/** Finds what was lost, lets time run out, and gives each released kind its turn. */
function startSweep({ config, log }: Platform<'sweep'>, life: { sweptAt: Date | null }): Stop {
  const pool = hotPool(config.DATABASE_URL, SWEEP_CONNECTIONS_MAX);
  const scheduled = scheduledQueues(jobs, { 'telegram-message': config.TELEGRAM_MESSAGES_PER_SECOND });
  const releasePool = schedulerPool(config.DATABASE_URL, scheduled.length);
  const queries = sweepQueries(pool, { jobs, settles, retentions });
  const onError = (err: Error) => log.warn({ err }, 'redis error');
  const queues = openQueues(producerRedis(config.REDIS_URL, onError), jobs);
  const lines = linesOf({ chatGapMs: config.TELEGRAM_CHAT_GAP_MS });
  const keep = { jobDays: config.RETENTION_JOB_DAYS, phoneDays: config.RETENTION_PHONE_DAYS };
  const { tick } = sweep(
    {
      ...queries,
      ...sweepRedis(queues),
      retire: (at: Date) => queries.retire(at, keep),
    },
    now,
  );
  const releaseTurns = releaser(scheduled, releaseQueues(queues, release(releasePool, jobs, lines), now));
  const stops = [
    every(log, 'sweep', async () => {
      const report = { ...(await tick()), reopened: await reopenChats(pool, now()) };
      life.sweptAt = now();
      if (Object.values(report).some((count) => count > 0)) log.info(report, 'sweep');
      return TICK_MS;
    }),
    every(log, 'broadcasts', async () => {
      const finished = await foldTallies(pool, now());
      if (finished > 0) log.info({ finished }, 'broadcasts');
      return TICK_MS;
    }),
    every(log, 'release', releaseTurns),
    every(log, 'announce', announcerOf(config, pool)),
  ];
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
    await closeQueues(queues);
    await Promise.all([pool.end(), releasePool.end()]);
  };
}

/** Between two signs of life: `/ops` calls a worker gone after three that are missing. */
const BEAT_MS = 5_000;

/** Tells staff that this process works, and when its sweep last ended a round. */
function startBeats(databaseUrl: string, log: Logger, life: Beat): Stop {
  const pool = hotPool(databaseUrl, 1);
  const stop = every(log, 'beat', async () => {
    await beat(pool, life, now());
    return BEAT_MS;
  });
  return async () => {
    await stop();
    await endBeat(pool, life.id).catch((err: unknown) =>
      log.debug({ err }, 'the last sign of life was not taken back'),
    );
    await pool.end();
  };
}

/** What people are told on their own devices and chats, as jobs of Navbat's own project. */
function announcerOf({ PEPPER, SEAL_KEYS }: ProcessConfig<'sweep'>, pool: Pool) {
  const intake = broadcastIntake({ pool, hash: keyedHash(PEPPER), seal: sealer(SEAL_KEYS), now });
  return announcer({ notices: notices(pool), intake, now });
}

/** One tick after the other, never two at once: each says when the next one is due. The stop waits for the one under way. */
function every(log: Logger, name: string, tick: () => Promise<number>): Stop {
  let stopped = false;
  let timer: NodeJS.Timeout;
  let running = Promise.resolve();
  const schedule = (ms: number) => {
    timer = setTimeout(() => {
      running = run();
    }, ms);
  };
  const failures = outage({
    lost: (err, times) => log.warn({ err, name, times }, 'a tick failed; the next one tries again'),
    back: (awayMs, times) => log.info({ name, away_ms: Math.round(awayMs), times }, 'ticks work again'),
  });
  const run = async () => {
    const ms = await tick().then(
      (due) => {
        failures.back(name);
        return due;
      },
      (err: unknown) => {
        failures.lost(name, err);
        return TICK_MS;
      },
    );
    if (!stopped) schedule(ms);
  };
  schedule(0);
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
