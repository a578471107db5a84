import { type CallbackName, callbackPath } from '../domain/otp/callback.ts';
import type { Channel } from '../domain/otp/channel.ts';
import type { GuardedChannel } from '../domain/otp/guard.ts';
import { type JobKind, jobKinds, jobs } from '../domain/jobs.ts';
import type { JobId } from '../domain/job/job.ts';
import type { Wake } from '../domain/job/wake.ts';
import { codeOf } from '../infra/codes.ts';
import { type Config, ConfigError, readConfig } from '../infra/config.ts';
import { sealer } from '../infra/crypto.ts';
import { type Logger, openLog } from '../infra/log.ts';
import { attemptsTotal, jobsFinished } from '../infra/metrics.ts';
import { jobStore } from '../infra/postgres/attempts.ts';
import { hotPool } from '../infra/postgres/hot-pool.ts';
import { otpJobs } from '../infra/postgres/otp-jobs.ts';
import { paidAttempts } from '../infra/postgres/paid-attempts.ts';
import { projectCache } from '../infra/postgres/project-cache.ts';
import { sweepQueries } from '../infra/postgres/sweep-queries.ts';
import { guard } from '../infra/providers/bulkhead.ts';
import { channelsFromConfig } from '../infra/providers/channels.ts';
import { startLane } from '../infra/queue/lane.ts';
import { closeQueues, openQueues, producerRedis, workerRedis } from '../infra/queue/queues.ts';
import { sweepRedis } from '../infra/queue/sweep-redis.ts';
import { runProcess } from '../infra/run.ts';
import { serveMetrics } from '../infra/http/worker-metrics.ts';
import { otpSendWake } from './otp-send.ts';
import { sweep, type SweepReport } from './sweep.ts';

/** Each of the four batched statements may have two batches on the way. */
const CONNECTIONS_MAX = 8;
/** A quarter of the lane for each provider: one that hangs leaves three quarters free. */
const PROVIDER_SHARE = 0.25;
/** An attempt in flight ends within its own time-out; what takes longer comes back as a stalled ticket. */
const DRAIN_GRACE_MS = 12_000;
const SWEEP_EVERY_MS = 1_000;

interface Platform {
  readonly config: Config;
  readonly log: Logger;
}
type Stop = () => Promise<void>;

/** One line a lane: what wakes its jobs. Only the chosen lanes' providers are built. */
const lanes = {
  'otp-send': (platform) => otpSendLane(platform),
} satisfies Record<JobKind, (platform: Platform) => Promise<{ wake: Wake; stop: Stop }>>;

/** `npm run worker -- [kind…]`: the lanes that are named, and the sweep where it is; all of it where nothing is. */
await runProcess(async () => {
  const chosen = chooseRoles(process.argv.slice(2));
  const config = readConfig(process.env);
  const log = openLog(`worker ${chosen.join(' ')}`, config.LOG_LEVEL);
  const stops = [await serveMetrics(config)];
  for (const role of chosen)
    stops.push(role === 'sweep' ? startSweep({ config, log }) : await start(role, { config, log }));
  log.info({ roles: chosen }, 'worker ready');
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
    log.info('worker stopped');
  };
});

function chooseRoles(names: readonly string[]): readonly (JobKind | 'sweep')[] {
  const roles = [...jobKinds, 'sweep'] as const;
  const unknown = names.filter((name) => !roles.some((role) => role === name));
  if (unknown.length > 0)
    throw new ConfigError(`no such kind: ${unknown.join(', ')}; expected any of ${roles.join(', ')}`);
  return names.length === 0 ? roles : roles.filter((role) => names.includes(role));
}

async function start(kind: JobKind, platform: Platform): Promise<Stop> {
  const { config, log } = platform;
  const { wake, stop } = await lanes[kind](platform);
  const onError = (err: Error) => log.warn({ err, kind }, 'queue error');
  const connection = workerRedis(config.REDIS_URL, onError);
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

async function otpSendLane({ config, log }: Platform) {
  const pool = hotPool(config.DATABASE_URL, CONNECTIONS_MAX);
  const now = () => new Date();
  const ofVerification = codeOf(config.CODE_KEYS);
  const wake = otpSendWake({
    jobs: otpJobs(pool, sealer(config.SEAL_KEYS)),
    store: jobStore(pool, now),
    paid: paidAttempts(pool, now),
    channels: await guardedChannels(config, now),
    project: projectCache(pool),
    codeOf: ofVerification,
    now,
    random: Math.random,
    onAttempt: ({ jobId, n, channel, provider, outcome, reason, latencyMs, requestId }) => {
      attemptsTotal.inc({ kind: 'otp-send', channel, provider, outcome });
      log.info(
        {
          job_id: jobId,
          attempt: n,
          channel,
          provider,
          outcome,
          reason,
          latency_ms: latencyMs,
          request_id: requestId,
        },
        'attempt',
      );
    },
    onFinished: (state) => jobsFinished.inc({ kind: 'otp-send', state }),
  });
  return { wake, stop: () => pool.end() };
}

async function guardedChannels(
  config: Config,
  now: () => Date,
): Promise<ReadonlyMap<Channel, GuardedChannel>> {
  const url = (name: CallbackName) => (jobId: JobId, attempt: number) =>
    config.PUBLIC_URL + callbackPath(name, jobId, attempt);
  const found = await channelsFromConfig(config, {
    sms: url('twilio'),
    'telegram-gateway': url('telegram-gateway'),
  });
  const inFlightMax = Math.floor(jobs['otp-send'].concurrency * PROVIDER_SHARE);
  return new Map(
    Object.values(found).map((channel) => [channel.channel, guard(channel, { inFlightMax, clock: now })]),
  );
}

function startSweep({ config, log }: Platform): Stop {
  const pool = hotPool(config.DATABASE_URL, 1);
  const queries = sweepQueries(pool);
  const redis = producerRedis(config.REDIS_URL, (err) => log.warn({ err }, 'redis error'));
  const queues = openQueues(redis);
  const keep = { jobDays: config.RETENTION_JOB_DAYS, phoneDays: config.RETENTION_PHONE_DAYS };
  const { tick } = sweep(
    { ...queries, ...sweepRedis(queues), retire: (now: Date) => queries.retire(now, keep) },
    () => new Date(),
  );
  const stopTicking = every(SWEEP_EVERY_MS, tick, log);
  return async () => {
    await stopTicking();
    await closeQueues(queues);
    await pool.end();
  };
}

/** One tick after the other, never two at once; the stop waits for the one under way. */
function every(ms: number, tick: () => Promise<SweepReport>, log: Logger): Stop {
  let stopped = false;
  let timer: NodeJS.Timeout;
  const run = async () => {
    try {
      const report = await tick();
      if (Object.values(report).some((count) => count > 0)) log.info(report, 'sweep');
    } catch (err) {
      log.warn({ err }, 'sweep failed; it tries again');
    }
    if (!stopped) schedule();
  };
  let running = Promise.resolve();
  const schedule = () => {
    timer = setTimeout(() => {
      running = run();
    }, ms);
  };
  schedule();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
