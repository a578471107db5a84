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
  /** What each process knew to be left when the fault began, the most of them. */
  readonly lastRemainder: number;
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
  const restart = async (wiped: boolean) => {
    redis = await startRedis({ directory: run.directory, port: redis.port, appendonly: !wiped });
  };
  try {
    const fault = faultOf(run, {
      delay: (ms) => proxy.delay(ms),
      stopRedis: () => redis.stop(),
      signalRedis: (signal) => void process.kill(redis.pid, signal),
      restart,
      signal: (signal) => void counting[0]?.child.kill(signal),
    });
    return await judgeRun(run, counting, fault);
  } finally {
    for (const { child } of counting) child.kill('SIGKILL');
    proxy.close();
    await redis.stop();
  }
}

async function startCounting(redisUrl: string): Promise<Counting> {
  const child = fork(join(import.meta.dirname, 'support/counter-process.ts'), [redisUrl]);
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
  } as const satisfies Record<LimitFault, Fault>;
  return faults[fault];
}

async function judgeRun(run: LimitRun, counting: readonly Counting[], fault: Fault): Promise<LimitReport> {
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
    lastRemainder: warm.lastRemainder,
    allowed,
    strictAllowed: sum(strict, 'allowed'),
    strictUnavailable: sum(strict, 'unavailable'),
  };
  const { processes, asks } = run;
  return { fault: run.fault, processes, asks, ...counts, problems: problemsOf(run, counts) };
}

/** Each process counts twice, and has heard from Redis when the fault begins. */
async function warmUp(counting: readonly Counting[]): Promise<{ allowed: number; lastRemainder: number }> {
  let allowed = 0;
  const remainders: number[] = [];
  for (const round of ['first', 'second'])
    for (const each of counting) {
      let report: CounterReport;
      let times = WARM_ASKS;
      do {
        report = await each.order({ times });
        allowed += report.allowed;
        times = 1;
        // A machine that stands still makes Redis late before anything was done to it.
        if (report.state === 'local') await sleep(POLL_MS);
      } while (report.state === 'local');
      if (round === 'second') remainders.push(LIMIT - report.taken);
    }
  return { allowed, lastRemainder: Math.max(...remainders) };
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
  if (run.fault !== 'a process is stopped') await answers;
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

function problemsOf(
  { processes, fault, asks }: LimitRun,
  counts: Pick<LimitReport, 'lastRemainder' | 'allowed' | 'strictAllowed' | 'strictUnavailable'>,
): string[] {
  const { lastRemainder, allowed, strictAllowed, strictUnavailable } = counts;
  const most = LIMIT + (asks > lastRemainder / processes ? (processes - 1) * lastRemainder : 0);
  const isAway = fault === 'redis stands still' || fault.startsWith('redis is shut down');
  return [
    ...(allowed > most ? [`${allowed} passed, and ${most} at most were to`] : []),
    ...(allowed < LIMIT ? [`${allowed} passed, and ${LIMIT} were to`] : []),
    ...(strictAllowed > STRICT_LIMIT ? [`${strictAllowed} of ${STRICT_LIMIT} protected ones passed`] : []),
    ...(isAway && strictAllowed > 0 ? ['something protected passed without a shared count'] : []),
    ...(!isAway && strictUnavailable > 0 ? ['something protected was refused though Redis answered'] : []),
  ];
}

const sum = (reports: readonly CounterReport[], what: 'allowed' | 'unavailable'): number =>
  reports.reduce((total, report) => total + report[what], 0);
