import type { Pool } from 'pg';
import { jobs } from '../../domain/jobs.ts';
import { jobsOf } from '../../domain/products.ts';
import { hotPool, schedulerPool } from '../../infra/postgres/engine/hot-pool.ts';
import { type Heartbeat, heartbeat, endHeartbeat } from '../../infra/postgres/job/heartbeats.ts';
import { reconcilerQueries } from '../../infra/postgres/job/reconciler.ts';
import { schedulerQueries } from '../../infra/postgres/job/scheduler.ts';
import { retentions } from '../../infra/postgres/retentions.ts';
import { linesOf, settles } from '../../infra/postgres/settles.ts';
import { type Outage, outage } from '../../infra/process/outage.ts';
import { every, type Tick, TICK_MS } from '../../infra/process/ticks.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import { startQueueWorker } from '../../infra/queue/queue-worker.ts';
import {
  closeQueues,
  isConnectionLoss,
  openQueues,
  producerRedis,
  workerRedis,
} from '../../infra/queue/queues.ts';
import { reconcilerRedis } from '../../infra/queue/reconciler-redis.ts';
import { schedulerQueues } from '../../infra/queue/scheduler-queues.ts';
import type { Role, Worker, WiredWorkers, WorkerPlatform } from '../wire.ts';
import { reconciler } from './reconciler.ts';
import { scheduler, scheduledQueues } from './scheduler.ts';

/** An attempt in flight ends within its own time-out; what takes longer comes back as a stalled queue entry. */
const DRAIN_GRACE_MS = 12_000;
const RECONCILER_CONNECTIONS_MAX = 4;
/** Between two signs of life: `/ops` calls a worker gone after three that are missing. */
const HEARTBEAT_MS = 5_000;

type Stop = () => Promise<void>;

export interface Life extends Heartbeat {
  reconciledAt: Date | null;
}

/** Starts what this process was asked for: each kind's queue worker, and the reconciler with what runs beside it. */
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
    if (role === 'reconciler') stops.push(await startReconciler(platform, wired, life));
    else {
      const open = wired.map(({ workers }) => workers?.[role]).find((worker) => worker !== undefined);
      if (!open) throw new Error(`no context works on ${role}`);
      stops.push(startQueue(platform, role, await open(), queueOutage));
    }
  }
  return stops;
}

function startQueue(
  { configOf, log, clock }: WorkerPlatform,
  kind: Exclude<Role, 'reconciler'>,
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
  const worker = startQueueWorker({ kind, wake, concurrency, clock, connection, onSurprise, onError });
  return async () => {
    await worker.drain(DRAIN_GRACE_MS);
    connection.disconnect();
    await close();
  };
}

/** Finds what was lost, lets time run out, and gives each kind that waits its turn; of every kind there is, so that none is lost. */
async function startReconciler(
  platform: WorkerPlatform,
  wired: readonly WiredWorkers[],
  life: Life,
): Promise<Stop> {
  const { log } = platform;
  const config = platform.configOf('reconciler');
  const pool = hotPool(config.DATABASE_URL, RECONCILER_CONNECTIONS_MAX);
  const queues = openQueues(
    producerRedis(config.REDIS_URL, (err) => log.warn({ err }, 'redis error')),
    jobs,
  );
  const scheduled = scheduledQueues(jobsOf(config.NAVBAT_PRODUCTS), {
    'telegram-message': config.TELEGRAM_MESSAGES_PER_SECOND,
  });
  const schedulerConnections = schedulerPool(config.DATABASE_URL, scheduled.length);
  const lines = linesOf({ chatGapMs: config.TELEGRAM_CHAT_GAP_MS });
  const ticks: Record<string, Tick> = {
    reconciler: reconcilerTick(platform, pool, queues, config, life),
    schedule: scheduler(
      scheduled,
      schedulerQueues(queues, schedulerQueries(schedulerConnections, jobs, lines), platform.clock),
    ),
    ...Object.assign({}, ...(await Promise.all(wired.map(async (each) => each.ticks?.(pool))))),
  };
  const stops = Object.entries(ticks).map(([name, tick]) => every(log, name, tick));
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
    await closeQueues(queues);
    await Promise.all([pool.end(), schedulerConnections.end()]);
  };
}

function reconcilerTick(
  { log, clock }: WorkerPlatform,
  pool: Pool,
  queues: Parameters<typeof reconcilerRedis>[0],
  config: ProcessConfig<'reconciler'>,
  life: Life,
): Tick {
  const queries = reconcilerQueries(pool, { jobs, settles, retentions });
  const keep = { jobDays: config.RETENTION_JOB_DAYS, phoneDays: config.RETENTION_PHONE_DAYS };
  const retire = (at: Date) => queries.retire(at, keep);
  const { tick } = reconciler({ ...queries, ...reconcilerRedis(queues), retire }, clock);
  return async () => {
    const report = await tick();
    life.reconciledAt = clock();
    if (Object.values(report).some((count) => count > 0)) log.info(report, 'reconciled');
    return TICK_MS;
  };
}

/** Tells staff that this process works, and when its reconciler last ended a round. */
export function startHeartbeats(
  databaseUrl: string,
  { log, clock }: Pick<WorkerPlatform, 'log' | 'clock'>,
  life: Heartbeat,
): Stop {
  const pool = hotPool(databaseUrl, 1);
  const stop = every(log, 'heartbeat', async () => {
    await heartbeat(pool, life, clock());
    return HEARTBEAT_MS;
  });
  return async () => {
    await stop();
    await endHeartbeat(pool, life.id).catch((err: unknown) =>
      log.debug({ err }, 'the last sign of life was not taken back'),
    );
    await pool.end();
  };
}
