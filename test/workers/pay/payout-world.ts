import { onTestFinished } from 'vitest';
import type { Wake, Woken } from '../../../domain/job/wake.ts';
import type { CardRail } from '../../../domain/pay/rail/port.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import { moveClock } from '../../../infra/postgres/engine/clock.ts';
import { jobStore } from '../../../infra/postgres/job/attempts.ts';
import { dispatchStore } from '../../../infra/postgres/pay/dispatch/store.ts';
import { dispatchRounds } from '../../../infra/postgres/pay/dispatch/ticks.ts';
import { paySettle } from '../../../infra/postgres/pay/settle.ts';
import { type PayoutDeps, payoutWake } from '../../../workers/pay/payout.ts';
import { places } from '../../../workers/pay/places.ts';
import { freshMulticard, linesOf, railAt } from '../../apps/sandbox/pay/multicard-world.ts';
import { openDispatchWorld } from '../../infra/postgres/pay/dispatch-world.ts';

const IN_HAND_MAX = 32;
const CALLS_MAX = 8;
/** More rounds than any history needs. */
const ROUNDS_MAX = 3_000;

/** Running batches, the worker of payouts and a rail over real sockets; clocks move by hand, all together. */
export async function openPayoutWorld() {
  const world = await openDispatchWorld();
  const clock = { aheadMs: 0 };
  const now = () => new Date(Date.now() + clock.aheadMs);
  const box = await freshMulticard({ clock: now });
  const rail = railAt(box.url, { clock: now });
  const bugs: unknown[] = [];
  const stopped: string[] = [];

  /** A worker of its own. */
  const worker = (change: Partial<Pick<PayoutDeps, 'rail' | 'dispatches' | 'places'>> = {}): Wake =>
    payoutWake({
      dispatches: dispatchStore(world.pool, world.encryption),
      store: jobStore(world.pool, now, paySettle),
      rail,
      places: places(CALLS_MAX),
      now,
      onCall: () => undefined,
      onMoved: (_, { stopsRail }) => {
        if (stopsRail) stopped.push(stopsRail);
      },
      onFinished: () => undefined,
      onBug: (error) => bugs.push(error),
      ...change,
    });

  const forward = async (ms: number): Promise<void> => {
    clock.aheadMs += Math.max(0, Math.ceil(ms));
    await moveClock(world.owner, clock.aheadMs);
  };

  /** To this machine's own time. */
  const setBack = async (): Promise<void> => {
    clock.aheadMs = 0;
    await moveClock(world.owner, 0);
  };

  const openJobs = async (): Promise<readonly JobId[]> =>
    (
      await world.pool.query<{ id: JobId }>(
        `select id from job where kind = 'payout' and finished_at is null order by id`,
      )
    ).rows.map(({ id }) => id);
  const wakeAll = async (wake: Wake, ids: readonly JobId[], signal = new AbortController().signal) => {
    const woken: Woken[] = [];
    const rest = [...ids];
    const hand = async () => {
      for (let id = rest.shift(); id; id = rest.shift()) woken.push(await wake(id, signal));
    };
    await Promise.all(Array.from({ length: IN_HAND_MAX }, hand));
    return woken;
  };

  /** As workers do it, round by round: what waits is waited for, by moving the clocks. Ends with the last job, or after so long. */
  const drain = async (workers: readonly Wake[] = [worker()], untilMs = Number.POSITIVE_INFINITY) => {
    const endMs = now().getTime() + untilMs;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const ids = await openJobs();
      if (ids.length === 0) return;
      const woken = (await Promise.all(workers.map((wake) => wakeAll(wake, ids)))).flat();
      const due = woken.flatMap((each) => (each.kind === 'waiting' ? [each.until.getTime()] : []));
      if (due.length === 0) continue;
      const next = Math.min(...due);
      if (next > endMs) return;
      await forward(next - now().getTime());
    }
    throw new Error('it goes on for ever');
  };

  onTestFinished(async () => {
    await world.close();
  });
  const paid = async () => (await linesOf(box)).filter((line) => line.t === 'paid');
  return {
    ...world,
    rounds: dispatchRounds(world.pool),
    box,
    rail,
    now,
    clock,
    bugs,
    stopped,
    worker,
    forward,
    setBack,
    drain,
    openJobs,
    wakeAll,
    paid,
    /** How often money left for each card. */
    paidTimes: async (): Promise<Readonly<Record<string, number>>> => {
      const times: Record<string, number> = {};
      for (const { card } of await paid()) times[card] = (times[card] ?? 0) + 1;
      return times;
    },
    statesOf: async (batchId: string): Promise<Readonly<Record<string, number>>> => {
      const { rows } = await world.pool.query<{ state: string; n: number }>(
        'select state, count(*)::int n from payout_dispatch where batch_id = $1 group by 1',
        [batchId],
      );
      return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
    },
    stop: (name: string) => world.pool.query('select rail_stop($1, $2, $3)', [name, world.maker, 'test']),
    openAll: () => world.owner.query('update rail set stopped_at = null, stopped_by = null, reason = null'),
  };
}

export type PayoutWorld = Awaited<ReturnType<typeof openPayoutWorld>>;

/** A worker that is frozen, or dead, where this says so: what it was about to do waits until it is let go. */
export function frozen<T extends object>(
  port: T,
  method: keyof T & string,
): { port: T; reached: Promise<void>; letGo: () => void } {
  const [reached, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const held = {
    ...port,
    [method]: async (...args: readonly unknown[]) => {
      reached.resolve();
      await open.promise;
      return (port[method] as (...all: readonly unknown[]) => unknown)(...args);
    },
  };
  return { port: held, reached: reached.promise, letGo: open.resolve };
}

/** Does something in front of a call, each time that it is made. */
export const before = (
  rail: CardRail,
  method: 'draft' | 'confirm',
  run: (times: number) => Promise<void>,
): CardRail => {
  let times = 0;
  return {
    ...rail,
    [method]: async (...args: never[]) => {
      times += 1;
      await run(times);
      return (rail[method] as (...all: never[]) => unknown)(...args);
    },
  };
};
