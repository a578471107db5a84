/** The longest wait that Node's timers take, about 24.8 days. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** All timers of one sandbox, so that closing it leaves nothing behind. */
export class Timers {
  readonly #live = new Set<NodeJS.Timeout>();

  after(ms: number, action: () => void): () => void {
    const timer = setTimeout(
      () => {
        this.#live.delete(timer);
        action();
      },
      Math.min(ms, TIMER_MS_MAX),
    );
    this.#live.add(timer);
    return () => {
      clearTimeout(timer);
      this.#live.delete(timer);
    };
  }

  /** Never resolves once the sandbox is closed: nobody waits any more. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  clear(): void {
    for (const timer of this.#live) clearTimeout(timer);
    this.#live.clear();
  }
}
