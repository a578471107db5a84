import { expect, test } from 'vitest';
import { withinTime } from '../../../workers/engine/time-limit.ts';

const untilAborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });

test('a call that takes too long is aborted with a TimeoutError', async () => {
  const reason = await withinTime(new AbortController().signal, 20, untilAborted);
  expect(reason).toMatchObject({ name: 'TimeoutError' });
});

test('a call is aborted with its caller, before or while it runs, and for the same reason', async () => {
  const before = new AbortController();
  before.abort('gone');
  expect(await withinTime(before.signal, 60_000, untilAborted)).toBe('gone');

  const during = new AbortController();
  const call = withinTime(during.signal, 60_000, untilAborted);
  during.abort('going');
  expect(await call).toBe('going');
});

test('a call that ended in time is left alone', async () => {
  const outer = new AbortController();
  const signal = await withinTime(outer.signal, 20, async (limited) => limited);
  await new Promise((resolve) => setTimeout(resolve, 40));
  outer.abort();
  expect(signal.aborted).toBe(false);
});
