import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterAbstract } from 'rate-limiter-flexible';
import {
  type Quota,
  QUOTA_WINDOW_SECONDS,
  type QuotaCounter,
  type Taken,
  windowSecondsOf,
} from '../../domain/project/quota.ts';

/** How long a request may wait for Redis before it is counted in this process: a hundred times what Redis takes. */
export const LIMIT_TIMEOUT_MS = 50;
/** While Redis is away nobody asks it but this: soon enough that limits are shared again within a second. */
const PROBE_EVERY_MS = 500;
/** Ends what no shorter limit ends, such as a probe of a Redis that hangs: before the next one is sent. */
const COMMAND_TIMEOUT_MS = 250;

/** Options of the connection that counts: it refuses at once where it can't ask, and sends what comes together together. */
export const limitConnection = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  enableAutoPipelining: true,
  commandTimeout: COMMAND_TIMEOUT_MS,
} as const;

export interface OpenQuotaCounter extends QuotaCounter {
  /** `local` while Redis does not answer: each process then counts for itself. */
  state(): 'shared' | 'local';
  close(): void;
}

/** Counts in Redis over all processes, in fixed windows. Its limiter's own `points` is never reached: each project has its own limit. */
export function quotaCounter(redis: Redis): OpenQuotaCounter {
  const window = { points: Number.MAX_SAFE_INTEGER, duration: QUOTA_WINDOW_SECONDS, keyPrefix: 'limit' };
  const shared = new RateLimiterRedis({ ...window, storeClient: redis });
  const insurance = new RateLimiterMemory(window);
  const watch = watchRedis(redis);

  const count: Count = (subject, points) => {
    if (watch.isAway()) return countIn(insurance, subject, points);
    return inTime(countIn(shared, subject, points)).catch(() => {
      watch.away();
      return countIn(insurance, subject, points);
    });
  };
  return { take: together(count), state: () => (watch.isAway() ? 'local' : 'shared'), close: watch.close };
}

/** Whose requests are counted, and in which window. */
interface Subject {
  /** Names the window too: a limit whose window was changed begins anew, and never ends with the old one's. */
  readonly key: string;
  readonly windowSeconds: number;
}
type Count = (subject: Subject, points: number) => Promise<Taken>;

function subjectOf(quota: Quota): Subject {
  const windowSeconds = windowSecondsOf(quota);
  return { key: `${quota.name}:${windowSeconds}:${quota.subject}`, windowSeconds };
}

async function countIn(
  limiter: RateLimiterAbstract,
  { key, windowSeconds }: Subject,
  points: number,
): Promise<Taken> {
  const { consumedPoints, msBeforeNext } = await limiter.penalty(key, points, {
    customDuration: windowSeconds,
  });
  return { taken: consumedPoints, resetMs: msBeforeNext };
}

/** Rejects when the answer is late. A process that stood still for so long reads its sockets first: Redis was not to blame. */
async function inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => setImmediate(() => late.reject(new Error('Redis is late'))),
    LIMIT_TIMEOUT_MS,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

interface Waiting {
  points: number;
  readonly answer: Promise<Taken>;
}

/**
 * Requests of one subject that arrive while its count is on the way are counted by the next one together: the hotter a
 * key, the fewer commands a request costs. Each request still gets its own place in the window.
 */
function together(count: Count): QuotaCounter['take'] {
  const onTheWay = new Map<string, Promise<Taken>>();
  const waiting = new Map<string, Waiting>();

  const send = (subject: Subject, points: () => number): Promise<Taken> => {
    const answer = count(subject, points()).finally(() => onTheWay.delete(subject.key));
    onTheWay.set(subject.key, answer);
    return answer;
  };
  const queue = (subject: Subject, ahead: Promise<Taken>): Waiting => {
    const next: Waiting = {
      points: 0,
      answer: ahead.then(() => {
        waiting.delete(subject.key);
        return send(subject, () => next.points);
      }),
    };
    waiting.set(subject.key, next);
    return next;
  };

  return async (quota) => {
    const subject = subjectOf(quota);
    const ahead = onTheWay.get(subject.key);
    if (!ahead) return send(subject, () => 1);
    const group = waiting.get(subject.key) ?? queue(subject, ahead);
    group.points += 1;
    const place = group.points;
    const { taken, resetMs } = await group.answer;
    return { taken: taken - group.points + place, resetMs };
  };
}

/** After one failure nobody waits for Redis again until it has answered a ping. */
function watchRedis(redis: Redis): { isAway: () => boolean; away: () => void; close: () => void } {
  let probe: NodeJS.Timeout | undefined;
  const stop = () => {
    clearInterval(probe);
    probe = undefined;
  };
  return {
    isAway: () => probe !== undefined,
    away: () => {
      probe ??= setInterval(() => void redis.ping().then(stop, () => undefined), PROBE_EVERY_MS).unref();
    },
    close: stop,
  };
}
