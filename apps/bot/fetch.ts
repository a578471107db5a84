import { setTimeout as sleep } from 'node:timers/promises';
import type { Handled } from './handle.ts';

/** Asks for updates until it is told to stop; `take` says whether an update is done with, or to be brought again. */
type Poll = (take: (update: unknown) => Promise<boolean>, signal: AbortSignal) => Promise<void>;

/**
 * Fetches updates and acts on each.
 *
 * @returns what stops it: an update in hand is waited for, but no longer than `graceMs`.
 */
export function fetchUpdates(
  poll: Poll,
  handle: (update: unknown) => Promise<Handled>,
  onRefused: (error: unknown) => void,
  graceMs: number,
): () => Promise<void> {
  const stopping = new AbortController();
  // What nobody can read is done with; what another process has in hand comes again.
  const polling = poll(async (update) => (await handle(update)) !== 'busy', stopping.signal);
  polling.catch(onRefused);
  return async () => {
    stopping.abort();
    await Promise.race([polling, sleep(graceMs)]);
  };
}
