import type pg from 'pg';
import { moveClock } from '../../../../../infra/postgres/engine/clock.ts';

/** The time of a run: this machine's own, and what it was moved ahead when nothing was left to do. The database has the same. */
export class VirtualClock {
  #aheadMs = 0;
  readonly #owner: pg.Pool;
  readonly #sleepers: { readonly untilMs: number; readonly wake: () => void }[] = [];

  constructor(owner: pg.Pool) {
    this.#owner = owner;
    // What measures how long a worker stood still looks at this one.
    const real = performance.now.bind(performance);
    Object.defineProperty(performance, 'now', { value: () => real() + this.#aheadMs, configurable: true });
  }

  readonly now = (): Date => new Date(this.nowMs);

  get nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Whoever is frozen goes on when it is so late. */
  sleepUntil(untilMs: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ untilMs, wake }));
  }

  get nextWakingMs(): number {
    return this.#sleepers.reduce((least, { untilMs }) => Math.min(least, untilMs), Number.POSITIVE_INFINITY);
  }

  /** Those whose time has come. */
  wakeSleepers(): void {
    const now = this.nowMs;
    for (const due of this.#sleepers.filter(({ untilMs }) => untilMs <= now)) {
      this.#sleepers.splice(this.#sleepers.indexOf(due), 1);
      due.wake();
    }
  }

  async forwardTo(ms: number): Promise<void> {
    const by = Math.ceil(ms - this.nowMs);
    if (by <= 0) return;
    this.#aheadMs += by;
    await moveClock(this.#owner, this.#aheadMs);
  }
}
