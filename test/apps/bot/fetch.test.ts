import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fetchUpdates } from '../../../apps/bot/fetch.ts';
import type { Handled } from '../../../apps/bot/handle.ts';

test('an update is done with, also a repeated one and one that nobody can read; one in another’s hand comes again', async () => {
  const done: boolean[] = [];
  const handled: Handled[] = ['done', 'repeated', 'unreadable', 'busy'];
  const stop = fetchUpdates(
    async (take) => {
      for (const update of handled) done.push(await take(update));
    },
    async (update) => update as Handled,
    () => undefined,
    1_000,
  );
  await stop();
  expect(done).toEqual([true, true, true, false]);
});

test('the stop waits for the update in hand, and no longer than its grace', async () => {
  const stopAfter = async (handleMs: number, graceMs: number) => {
    let finished = false;
    const stop = fetchUpdates(
      async (take) => void (await take({})),
      async () => {
        await sleep(handleMs);
        finished = true;
        return 'done';
      },
      () => undefined,
      graceMs,
    );
    await stop();
    return finished;
  };
  expect(await stopAfter(30, 10_000)).toBe(true);
  expect(await stopAfter(2_000, 10)).toBe(false);
});

test('that Telegram refuses us is told, and the stop does not fail for it', async () => {
  const refused: unknown[] = [];
  const fault = new Error('401: Unauthorized');
  const stop = fetchUpdates(
    async () => {
      throw fault;
    },
    async () => 'done',
    (error) => refused.push(error),
    10,
  );
  await sleep(5);
  await expect(stop()).rejects.toBe(fault);
  expect(refused).toEqual([fault]);
});
