/**
 * Makes a call whose signal aborts with `signal`, or after `ms` with a `TimeoutError`. The timer ends with the call:
 * `AbortSignal.timeout` would keep one for its whole time, and with `AbortSignal.any` a web of weak references, for each of
 * thousands of calls a second.
 */
export async function withinTime<T>(
  signal: AbortSignal,
  ms: number,
  call: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const stop = () => limit.abort(signal.reason);
  const timer = setTimeout(() => limit.abort(new DOMException('The time is up.', 'TimeoutError')), ms);
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    return await call(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
