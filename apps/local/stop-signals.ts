/**
 * npm passes a Ctrl-C on to us, and the terminal sends it as well: two signals within this time are one wish. The second
 * wish of a person comes later than this.
 */
const SAME_WISH_MS = 700;

export interface StopSignals {
  /** Aborted by the first wish to stop. */
  readonly stop: AbortSignal;
  /** Aborted by the second: whatever still drains is killed. */
  readonly force: AbortSignal;
}

/** Listens for what a terminal, a service manager or npm sends to end us. */
export function listenForStop(): StopSignals {
  const stop = new AbortController();
  const force = new AbortController();
  let firstAt = Number.POSITIVE_INFINITY;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      firstAt = performance.now();
      stop.abort();
    } else if (performance.now() - firstAt > SAME_WISH_MS) force.abort();
  };
  // SIGHUP: the terminal was closed.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return { stop: stop.signal, force: force.signal };
}
