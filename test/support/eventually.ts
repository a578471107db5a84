import { vi } from 'vitest';

/** Longer than anything takes on a machine with many times more work than cores: what never happens fails, what is slow does not. */
export const EVENTUALLY_MS = 60_000;

/** Repeats `check` until it throws no more. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: EVENTUALLY_MS, interval: 50 });
