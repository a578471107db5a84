import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** While Redis is away nobody asks it but this: soon enough that counts are shared again within a second. */
const PROBE_EVERY_MS = 500;

export interface RedisWatch {
  /** `slow`: its last answer was late, and this process does not wait for it. `gone`: it did not answer. */
  state(): 'shared' | 'slow' | 'gone';
  away(): void;
  gone(): void;
  close(): void;
}

export interface WatchOptions {
  /** Redis answers a ping within this again, or is not waited for. */
  readonly quickMs: number;
  readonly onReady: () => void;
  /** After each ping that was answered, and each new connection. */
  readonly onAnswer: () => Promise<void>;
}

/** After one failure nobody waits for Redis again until it has answered a ping in time. */
export function watchRedis(redis: Redis, options: WatchOptions): RedisWatch {
  let state: 'shared' | 'slow' | 'gone' = 'shared';
  let isProbing = false;
  let left = 0;
  const closing = new AbortController();

  const leave = (to: 'slow' | 'gone') => {
    state = to;
    left += 1;
    if (!isProbing) void probeUntilBack();
  };
  const probeUntilBack = async (): Promise<void> => {
    isProbing = true;
    while (state !== 'shared' && !closing.signal.aborted) {
      await pause(closing.signal);
      const leftBefore = left;
      const probed = await probe(redis, options);
      // Who found it late meanwhile knows better: what they counted is yet to be told.
      state = probed === 'shared' && left > leftBefore ? 'slow' : probed;
    }
    isProbing = false;
  };
  const greet = () => {
    options.onReady();
    void isDone(options.onAnswer());
  };
  redis.on('ready', greet);
  return {
    state: () => state,
    away: () => leave('slow'),
    gone: () => leave('gone'),
    close: () => {
      closing.abort();
      redis.off('ready', greet);
    },
  };
}

async function probe(redis: Redis, { quickMs, onAnswer }: WatchOptions): Promise<'shared' | 'slow' | 'gone'> {
  const sentMs = performance.now();
  if (!(await isDone(redis.ping()))) return 'gone';
  const isQuick = performance.now() - sentMs <= quickMs;
  // What was counted alone is told before anybody asks.
  const isTold = await isDone(onAnswer());
  return isQuick && isTold ? 'shared' : 'slow';
}

const pause = (signal: AbortSignal): Promise<unknown> =>
  sleep(PROBE_EVERY_MS, undefined, { ref: false, signal }).catch(() => undefined);

const isDone = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
