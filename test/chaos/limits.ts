import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../infra/embedded/redis.ts';
import { type CounterOrder, CounterReport } from './support/counter-order.ts';
import { openLateProxy } from './support/late-proxy.ts';

/** What befalls a limit while requests are counted. `none` is the calm case. */
export const limitFaults = [
  'none',
  'redis stands still',
  'redis is shut down',
  'redis is shut down and wiped',
  'redis is 200 ms late',
  'redis is 60 ms late and a process stands still',
  'a process is stopped',
  'redis is wiped while a process is stopped',
  'a process is killed and started while redis is shut down',
] as const;
export type LimitFault = (typeof limitFaults)[number];

export interface LimitRun {
  readonly fault: LimitFault;
  readonly processes: number;
  /** How many requests each process gets while the fault lasts. */
  readonly asks: number;
  readonly faultMs: number;
  readonly directory: string;
}

export interface LimitReport {
  readonly fault: LimitFault;
  readonly processes: number;
  readonly asks: number;
  /** What each process knew to be left when the fault began. The last of them had heard of every count. */
  readonly lastRemainders: readonly number[];
  /** As many may pass at the most. */
  readonly most: number;
  readonly allowed: number;
  /** What protects codes and passwords, let through and refused while the fault lasted. */
  readonly strictAllowed: number;
  readonly strictUnavailable: number;
  /** Empty where the limit held. */
  readonly problems: readonly string[];
}

const LIMIT = 300;
/** Each process has counted twice before anything happens. */
const WARM_ASKS = 10;
const STRICT_LIMIT = 20;
const LATE_MS = 200;
const SLIGHTLY_LATE_MS = 60;
const STALL_MS = 400;
const POLL_MS = 50;
/** Deadlines of a run that hangs, not of one that is slow. */
const SHARED_AGAIN_MS_MAX = 60_000;

interface Counting {
  order(wish: Partial<CounterOrder>): Promise<CounterReport>;
  readonly child: ChildProcess;
}

/** Real processes that share a limit over a Redis of their own, to which something happens. */
export async function runLimits(run: LimitRun): Promise<LimitReport> {
  let redis = await startRedis({ directory: run.directory });
  const proxy = await openLateProxy(redis.url);
  const counting = await Promise.all(Array.from({ length: run.processes }, () => startCounting(proxy.url)));
  const startFirstAgain = async () => {
    counting[0]?.child.kill('SIGKILL');
    counting[0] = await startCounting(proxy.url, 'alone');
  };
  const restart = async (wiped: boolean) => {
    redis = await startRedis({ directory: run.directory, port: redis.port, appendonly: !wiped });
  };
  try {
    const fault = faultOf(run, {
      delay: (ms) => proxy.delay(ms),
      stopRedis: () => redis.stop(),
      signalRedis: (signal) => void process.kill(redis.pid, signal),
      restart,
      startFirstAgain,
      signal: (signal) => void counting[0]?.child.kill(signal),
    });
    return await checkRun(run, counting, fault);
  } finally {
    for (const { child } of counting) child.kill('SIGKILL');
    proxy.close();
    await redis.stop();
  }
}

async function startCounting(redisUrl: string, ...alone: readonly 'alone'[]): Promise<Counting> {
  const child = fork(join(import.meta.dirname, 'support/counter-process.ts'), [redisUrl, ...alone]);
  await once(child, 'message');
  let orders = 0;
  return {
    child,
    order: (wish) => {
      const id = (orders += 1);
      const order = { id, subject: 's', limit: LIMIT, times: 1, failsClosed: false, blockMs: 0, ...wish };
      return new Promise((resolve, reject) => {
        const die = () => reject(new Error('a counting process ended'));
        const hear = (message: unknown) => {
          const report = CounterReport.safeParse(message);
          if (report.data?.id !== id) return;
          child.off('message', hear).off('exit', die);
          resolve(report.data);
        };
        child.on('message', hear).once('exit', die);
        child.send(order);
      });
    },
  };
}

interface Hands {
  readonly delay: (ms: number) => void;
  readonly stopRedis: () => Promise<void>;
  readonly signalRedis: (signal: NodeJS.Signals) => void;
  readonly restart: (wiped: boolean) => Promise<void>;
  readonly startFirstAgain: () => Promise<void>;
  readonly signal: (signal: NodeJS.Signals) => void;
}
interface Fault {
  readonly begin: () => Promise<void> | void;
  readonly end: () => Promise<void> | void;
  /** The first process stands still for so long after its requests came. */
  readonly blockMs?: number;
}

function faultOf({ fault }: LimitRun, hands: Hands): Fault {
  const late = (ms: number) => ({ begin: () => hands.delay(ms), end: () => hands.delay(0) });
  const faults = {
    none: { begin: () => undefined, end: () => undefined },
    'redis stands still': {
      begin: () => hands.signalRedis('SIGSTOP'),
      end: () => hands.signalRedis('SIGCONT'),
    },
    'redis is shut down': { begin: hands.stopRedis, end: () => hands.restart(false) },
    'redis is shut down and wiped': { begin: hands.stopRedis, end: () => hands.restart(true) },
    'redis is 200 ms late': late(LATE_MS),
    'redis is 60 ms late and a process stands still': { ...late(SLIGHTLY_LATE_MS), blockMs: STALL_MS },
    'a process is stopped': { begin: () => hands.signal('SIGSTOP'), end: () => hands.signal('SIGCONT') },
    'redis is wiped while a process is stopped': {
      begin: async () => {
        hands.signal('SIGSTOP');
        await hands.stopRedis();
        await hands.restart(true);
      },
      end: () => hands.signal('SIGCONT'),
    },
    'a process is killed and started while redis is shut down': {
      begin: async () => {
        await hands.stopRedis();
        await hands.startFirstAgain();
      },
      end: () => hands.restart(false),
    },
  } as const satisfies Record<LimitFault, Fault>;
  return faults[fault];
}

async function checkRun(run: LimitRun, counting: readonly Counting[], fault: Fault): Promise<LimitReport> {
  const warm = await warmUp(counting);
  let { allowed } = warm;
  await fault.begin();
  const struck = await Promise.all([strike(run, counting, fault), sleep(run.faultMs)]).then(
    ([first]) => first,
  );
  // Who was stopped answers after it.
  await fault.end();
  const { plain, strict } = await struck.answers;
  allowed += sum(plain, 'allowed');
  await backToShared(counting);
  // What each counted alone is known to all: one process gets what is left of the limit, and not one more.
  const rest = await counting.at(-1)?.order({ times: 2 * LIMIT });
  allowed += rest?.allowed ?? 0;
  const counts = {
    lastRemainders: warm.lastRemainders,
    most: mostOf(run, warm.lastRemainders),
    allowed,
    strictAllowed: sum(strict, 'allowed'),
    strictUnavailable: sum(strict, 'unavailable'),
  };
  const { processes, asks } = run;
  return { fault: run.fault, processes, asks, ...counts, problems: problemsOf(run, counts) };
}

/**
 * Each process counts twice, one after the other, and each has heard of all that was counted until then: what is on the way when
 * the fault begins would pass beside what anybody knew.
 */
async function warmUp(
  counting: readonly Counting[],
): Promise<{ allowed: number; lastRemainders: readonly number[] }> {
  let allowed = 0;
  const remainders: number[] = [];
  for (const round of ['first', 'second'])
    for (const each of counting) {
      let report: CounterReport;
      let times = WARM_ASKS;
      let isHeard: boolean;
      do {
        report = await each.order({ times });
        allowed += report.allowed;
        times = 1;
        // A machine that stands still makes Redis late before anything was done to it.
        isHeard = report.state === 'shared' && report.taken === allowed;
        if (!isHeard) await sleep(POLL_MS);
      } while (!isHeard);
      if (round === 'second') remainders.push(LIMIT - report.taken);
    }
  return { allowed, lastRemainders: remainders };
}

/** Requests of all processes at once; they are answered while the fault lasts, but for a process that is stopped. */
async function strike(run: LimitRun, counting: readonly Counting[], { blockMs = 0 }: Fault) {
  const answers = Promise.all(
    counting.map(async (each, n) => ({
      plain: await each.order({ times: run.asks, blockMs: n === 0 ? blockMs : 0 }),
      strict: await each.order({
        subject: 'strict',
        times: STRICT_LIMIT,
        limit: STRICT_LIMIT,
        failsClosed: true,
      }),
    })),
  ).then((all) => ({ plain: all.map(({ plain }) => plain), strict: all.map(({ strict }) => strict) }));
  if (!run.fault.endsWith('a process is stopped')) await answers;
  return { answers };
}

async function backToShared(counting: readonly Counting[]): Promise<void> {
  const deadline = performance.now() + SHARED_AGAIN_MS_MAX;
  for (const each of counting)
    while ((await each.order({ subject: 'probe', times: 1 })).state !== 'shared') {
      if (performance.now() > deadline) throw new Error('counts were not shared again');
      await sleep(POLL_MS);
    }
}

/**
 * Each process lets through what it last knew to be left. One of them had heard of all counts, so that above the limit pass the
 * remainders of the n − 1 others; one that began while Redis was away knows of nothing, and has the whole limit.
 */
function mostOf({ fault, asks, processes }: LimitRun, lastRemainders: readonly number[]): number {
  if (fault === 'none' || asks <= Math.max(...lastRemainders) / processes) return LIMIT;
  const left = fault.startsWith('a process is killed') ? [LIMIT, ...lastRemainders.slice(1)] : lastRemainders;
  const counted = LIMIT - (lastRemainders.at(-1) ?? LIMIT);
  return left.reduce((total, each) => total + each, counted);
}

function problemsOf(
  { fault }: LimitRun,
  counts: Pick<LimitReport, 'most' | 'allowed' | 'strictAllowed' | 'strictUnavailable'>,
): string[] {
  const { most, allowed, strictAllowed, strictUnavailable } = counts;
  const isAway = fault === 'redis stands still' || fault.includes('redis is shut down');
  const comesBack = fault.startsWith('redis is wiped');
  return [
    ...(allowed > most ? [`${allowed} passed, and ${most} at most were to`] : []),
    ...(allowed < LIMIT ? [`${allowed} passed, and ${LIMIT} were to`] : []),
    ...(strictAllowed > STRICT_LIMIT ? [`${strictAllowed} of ${STRICT_LIMIT} protected ones passed`] : []),
    ...(isAway && strictAllowed > 0 ? ['something protected passed without a shared count'] : []),
    ...(!isAway && !comesBack && strictUnavailable > 0
      ? ['something protected was refused though Redis answered']
      : []),
  ];
}

const sum = (reports: readonly CounterReport[], what: 'allowed' | 'unavailable'): number =>
  reports.reduce((total, report) => total + report[what], 0);
