import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Timers } from '../../../apps/sandbox/timers.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('what waits comes once, what was taken back or cleared does not', async () => {
  const timers = new Timers();
  const came: string[] = [];
  timers.after(10, () => came.push('a'));
  timers.after(10, () => came.push('b'))();
  await vi.advanceTimersByTimeAsync(10);
  expect(came).toEqual(['a']);
  timers.after(10, () => came.push('c'));
  void timers.sleep(10).then(() => came.push('d'));
  timers.clear();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(came).toEqual(['a']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a wait that is longer than Node’s timers take does not come at once', async () => {
  const timers = new Timers();
  const came = vi.fn<() => void>();
  timers.after(2 ** 40, came);
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(came).not.toHaveBeenCalled();
  timers.clear();
});
