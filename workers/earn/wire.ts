import type { Pool } from 'pg';
import { METER_SESSIONS_MAX, trafficReport } from '../../domain/earn/traffic/job.ts';
import type { SessionId } from '../../domain/earn/ids.ts';
import { dayRounds } from '../../infra/postgres/earn/day/rounds.ts';
import { priceRounds } from '../../infra/postgres/earn/price/prices.ts';
import { earnSettle } from '../../infra/postgres/earn/settle.ts';
import { trafficJobs, waitingSessions } from '../../infra/postgres/earn/traffic/jobs.ts';
import { sessionMeter } from '../../infra/postgres/earn/traffic/meter.ts';
import { trafficRounds } from '../../infra/postgres/earn/traffic/rounds.ts';
import { batcher } from '../../infra/postgres/engine/batcher.ts';
import { jobStore } from '../../infra/postgres/job/attempts.ts';
import { moneyBookAtStart, moneyProjectOf } from '../../infra/postgres/pay/money-project.ts';
import { tellJobs } from '../../infra/process/tell-jobs.ts';
import type { Tick } from '../../infra/process/ticks.ts';
import { singleWake } from '../engine/single.ts';
import { whole, type WiredWorkers, type Worker, workerPool, type WorkerPlatform } from '../wire.ts';
import { tellingTicks } from './telling/wire.ts';
import { closeDays } from './close-days.ts';
import { meterProvider } from './meter.ts';

/** Two, so that one reads while the other commits. */
const METER_BATCHES_MAX = 2;
/** Between two looks for sessions that are a day old, and for those whose job was lost. */
const SESSIONS_MS = 15_000;
/** Partitions are made weeks ahead. */
const PARTITIONS_MS = 3_600_000;
/** Whether today has a price. */
const PRICE_MS = 60_000;

/** Traffic is metered; its days are closed into the ledger. */
export const wireEarn = (platform: WorkerPlatform): WiredWorkers => ({
  workers: { 'traffic-report': () => meterWorker(platform) },
  ticks: async (pool) => {
    const book = await moneyBookAtStart(pool, platform.configOf('reconciler'));
    return {
      'close-days': closeDays({
        days: dayRounds(pool, book),
        now: platform.clock,
        onClosed: (day, people) => platform.log.info({ day, people }, 'a day of traffic is closed'),
      }),
      ...keeping(platform, pool, book),
      ...tellingTicks(platform, pool, book),
    };
  },
});

function keeping(
  { log }: WorkerPlatform,
  pool: Pool,
  book: ReturnType<typeof moneyProjectOf>,
): Readonly<Record<string, Tick>> {
  const [sessions, price] = [trafficRounds(pool), priceRounds(pool, book)];
  return {
    'keep-sessions': async () => {
      await sessions.expire();
      const again = await sessions.rejob();
      if (again > 0) log.warn({ sessions: again }, 'sessions had lost their jobs, and have new ones');
      return SESSIONS_MS;
    },
    'traffic-partitions': async () => {
      await sessions.partitions();
      return PARTITIONS_MS;
    },
    'carry-price': async () => {
      const days = await price.carry();
      if (days.length > 0)
        log.warn({ days }, 'nobody set the price of these days: it is that of the day before');
      return PRICE_MS;
    },
  };
}

function meterWorker({ configOf, clock: now, log }: WorkerPlatform): Worker {
  const config = configOf('traffic-report');
  const pool = workerPool(config);
  const book = moneyProjectOf(config);
  const meterAll = sessionMeter(pool, book);
  const meter = batcher({
    name: 'meter',
    sizeMax: METER_SESSIONS_MAX,
    inFlightMax: METER_BATCHES_MAX,
    run: async (ids: readonly SessionId[]) => {
      await meterAll(ids);
      return ids;
    },
  });
  const onFault = (err: unknown, sessionId: SessionId | null) =>
    log.error({ err, session_id: sessionId }, 'sessions were not metered; it is tried again');
  const waiting = waitingSessions(pool, book);
  const provider = whole('traffic-report', meterProvider({ waiting, meter, onFault }), now);
  const wake = singleWake({
    definition: trafficReport,
    now,
    random: Math.random,
    read: trafficJobs(pool),
    store: jobStore(pool, now, earnSettle),
    providerOf: () => provider,
    ...tellJobs(log, trafficReport.kind),
  });
  return { wake, close: () => pool.end() };
}
