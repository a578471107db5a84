import type { Logger } from './log.ts';
import { outage } from './outage.ts';

/** Between two rounds, and after one that failed. */
export const TICK_MS = 1_000;

/** Something that is done again and again: answers after how many milliseconds it is due again. */
export type Tick = () => Promise<number>;

/** One tick after the other, never two at once. The stop waits for the one under way. */
export function every(log: Pick<Logger, 'warn' | 'info'>, name: string, tick: Tick): () => Promise<void> {
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
