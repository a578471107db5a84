import type { Logger } from 'pino';

/** One line of a sort in this time, and one more with how many there were besides. */
const LOGGED_EVERY_MS = 10_000;

export interface Limited {
  readonly request_id: string;
  readonly method: string;
  /** The route's own path, with its parameters' names: a path of the caller's would make a sort each. */
  readonly route: string;
  /** The limit. */
  readonly reason: string;
}

const openWindows = new WeakMap<Logger, Map<string, { suppressed: number }>>();

/**
 * Logs the first refusal of a route and a limit: whoever floods must not fill the disk. All are counted
 * (`navbat_http_limited_total`).
 */
export function noteLimited(log: Logger, limited: Limited): void {
  const { route, reason } = limited;
  const windows = openWindows.get(log) ?? new Map<string, { suppressed: number }>();
  openWindows.set(log, windows);
  const sort = `${limited.method} ${route} ${reason}`;
  const open = windows.get(sort);
  if (open) {
    open.suppressed += 1;
    return;
  }
  const window = { suppressed: 0 };
  windows.set(sort, window);
  log.warn({ ...limited, status: 429 }, 'request refused');
  setTimeout(() => {
    windows.delete(sort);
    const { suppressed } = window;
    if (suppressed > 0) log.warn({ ...limited, status: 429, suppressed }, 'requests refused besides');
  }, LOGGED_EVERY_MS).unref();
}
