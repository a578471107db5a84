import { expect, test } from 'vitest';
import { CRASH_WINDOW_MS, CRASHES_MAX, decideRestart } from '../../../apps/local/restarts.ts';

const crashes = (count: number, at = 0) => Array.from({ length: count }, () => at);

test('each crash within a minute doubles the pause, up to eight seconds', () => {
  const pauses = [1, 2, 3, 4, 5].map((count) => decideRestart(crashes(count), 0));
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000].map((restartInMs) => ({ restartInMs })));
});

test('the sixth within a minute is the last', () => {
  expect(decideRestart(crashes(CRASHES_MAX), CRASH_WINDOW_MS - 1)).toBe('give-up');
  expect(decideRestart(crashes(CRASHES_MAX), CRASH_WINDOW_MS)).toEqual({ restartInMs: 500 });
  expect(decideRestart(crashes(CRASHES_MAX - 1), CRASH_WINDOW_MS - 1)).not.toBe('give-up');
});
