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

/** A killed npm is noticed this late. */
const LOOK_MS = 200;

/**
 * Listens for what a terminal, a service manager or npm sends to end us.
 *
 * @param isOrphaned asked now and then: has whoever would have told us ended without a word?
 */
export function listenForStop(isOrphaned: () => boolean): StopSignals {
  const stop = new AbortController();
  const force = new AbortController();
  let firstAt = 0;
  const begin = () => {
    firstAt = performance.now();
    stop.abort();
  };
  const onSignal = () => {
    if (!stop.signal.aborted) begin();
    else if (performance.now() - firstAt > SAME_WISH_MS) force.abort();
  };
  // SIGHUP: the terminal was closed.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  const look = setInterval(() => {
    if (!isOrphaned()) return;
    clearInterval(look);
    if (!stop.signal.aborted) begin();
  }, LOOK_MS).unref();
  return { stop: stop.signal, force: force.signal };
}
