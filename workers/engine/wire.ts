import type { Pool } from 'pg';
import { jobs } from '../../domain/jobs.ts';
import { jobsOf } from '../../domain/products.ts';
import { hotPool, schedulerPool } from '../../infra/postgres/engine/hot-pool.ts';
import { type Beat, beat, endBeat } from '../../infra/postgres/job/heartbeats.ts';
import { sweepQueries } from '../../infra/postgres/job/reconciler.ts';
import { release } from '../../infra/postgres/job/scheduler.ts';
import { retentions } from '../../infra/postgres/retentions.ts';
import { linesOf, settles } from '../../infra/postgres/settles.ts';
import type { Logger } from '../../infra/process/log.ts';
import { type Outage, outage } from '../../infra/process/outage.ts';
import { every, type Tick, TICK_MS } from '../../infra/process/ticks.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import { startLane } from '../../infra/queue/queue-worker.ts';
import {
  closeQueues,
  isConnectionLoss,
  openQueues,
  producerRedis,
  workerRedis,
} from '../../infra/queue/queues.ts';
import { sweepRedis } from '../../infra/queue/reconciler-redis.ts';
import { releaseQueues } from '../../infra/queue/scheduler-queues.ts';
import type { Role, Worker, WiredWorkers, WorkerPlatform } from '../wire.ts';
import { sweep } from './reconciler.ts';
import { releaser, scheduledQueues } from './scheduler.ts';

/** An attempt in flight ends within its own time-out; what takes longer comes back as a stalled ticket. */
const DRAIN_GRACE_MS = 12_000;
const SWEEP_CONNECTIONS_MAX = 4;
/** Between two signs of life: `/ops` calls a worker gone after three that are missing. */
const BEAT_MS = 5_000;

type Stop = () => Promise<void>;

export interface Life extends Beat {
  sweptAt: Date | null;
}

/** Starts what this process was asked for: each kind's queue worker, and the sweep with what runs beside it. */
export async function startRoles(
  platform: WorkerPlatform,
  wired: readonly WiredWorkers[],
  roles: readonly Role[],
  life: Life,
): Promise<Stop[]> {
  const { log } = platform;
  const queueOutage = outage({
    lost: (err, times) => log.warn({ err, times }, 'queue error'),
    back: (awayMs, times) => log.info({ away_ms: Math.round(awayMs), times }, 'queues are back'),
  });
  const stops: Stop[] = [];
  for (const role of roles) {
    if (role === 'sweep') stops.push(startSweep(platform, wired, life));
    else {
      const open = wired.map(({ workers }) => workers?.[role]).find((worker) => worker !== undefined);
      if (!open) throw new Error(`no context works on ${role}`);
      stops.push(startQueue(platform, role, await open(), queueOutage));
    }
  }
  return stops;
}

function startQueue(
  { configOf, log }: WorkerPlatform,
  kind: Exclude<Role, 'sweep'>,
  { wake, close }: Worker,
  queueOutage: Outage,
): Stop {
  const connection = workerRedis(configOf(kind).REDIS_URL, (err) => queueOutage.lost(kind, err));
  connection.on('ready', () => queueOutage.back(kind));
  // BullMQ has a connection of its own besides, which is lost a moment earlier and back a moment later.
  const onError = (err: Error) => {
    if (connection.status !== 'ready') queueOutage.lost(kind, err);
    else if (isConnectionLoss(err)) log.debug({ err, kind }, 'connection lost');
    else log.warn({ err, kind }, 'queue error');
  };
  const onSurprise = (err: Error, jobId: string) =>
    log.error({ err, kind, job_id: jobId }, 'a job met an unexpected error');
  const { concurrency } = jobs[kind];
  const worker = startLane({ kind, wake, concurrency, connection, onSurprise, onError });
  return async () => {
    await worker.drain(DRAIN_GRACE_MS);
    connection.disconnect();
    await close();
  };
}

/** Finds what was lost, lets time run out, and gives each kind that waits its turn; of every kind there is, so that none is lost. */
function startSweep(platform: WorkerPlatform, wired: readonly WiredWorkers[], life: Life): Stop {
  const { log } = platform;
  const config = platform.configOf('sweep');
  const pool = hotPool(config.DATABASE_URL, SWEEP_CONNECTIONS_MAX);
  const queues = openQueues(
    producerRedis(config.REDIS_URL, (err) => log.warn({ err }, 'redis error')),
    jobs,
  );
  const scheduled = scheduledQueues(jobsOf(config.NAVBAT_PRODUCTS), {
    'telegram-message': config.TELEGRAM_MESSAGES_PER_SECOND,
  });
  const releasePool = schedulerPool(config.DATABASE_URL, scheduled.length);
  const lines = linesOf({ chatGapMs: config.TELEGRAM_CHAT_GAP_MS });
  const ticks: Record<string, Tick> = {
    sweep: sweepTick(platform, pool, queues, config, life),
    release: releaser(scheduled, releaseQueues(queues, release(releasePool, jobs, lines), platform.clock)),
    ...Object.assign({}, ...wired.map((each) => each.ticks?.(pool))),
  };
  const stops = Object.entries(ticks).map(([name, tick]) => every(log, name, tick));
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
    await closeQueues(queues);
    await Promise.all([pool.end(), releasePool.end()]);
  };
}

function sweepTick(
  { log, clock }: WorkerPlatform,
  pool: Pool,
  queues: Parameters<typeof sweepRedis>[0],
  config: ProcessConfig<'sweep'>,
  life: Life,
): Tick {
  const queries = sweepQueries(pool, { jobs, settles, retentions });
  const keep = { jobDays: config.RETENTION_JOB_DAYS, phoneDays: config.RETENTION_PHONE_DAYS };
  const retire = (at: Date) => queries.retire(at, keep);
  const { tick } = sweep({ ...queries, ...sweepRedis(queues), retire }, clock);
  return async () => {
    const report = await tick();
    life.sweptAt = clock();
    if (Object.values(report).some((count) => count > 0)) log.info(report, 'sweep');
    return TICK_MS;
  };
}

/** Tells staff that this process works, and when its sweep last ended a round. */
export function startBeats(databaseUrl: string, log: Logger, life: Beat): Stop {
  const pool = hotPool(databaseUrl, 1);
  const stop = every(log, 'beat', async () => {
    await beat(pool, life, new Date());
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
