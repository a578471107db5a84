import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openLog } from '../../../infra/process/log.ts';
import { every } from '../../../infra/process/ticks.ts';
import { eventually } from '../../support/eventually.ts';

function logOf() {
  const lines: Record<string, unknown>[] = [];
  const log = openLog('worker', 'info', {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return { lines, log };
}

test('ticks come one after the other, and the stop waits for the one under way', async () => {
  let [running, most, done] = [0, 0, 0];
  const stop = every(logOf().log, 'a test', async () => {
    running += 1;
    most = Math.max(most, running);
    await sleep(20);
    running -= 1;
    done += 1;
    return 1;
  });
  await eventually(() => expect(done).toBeGreaterThan(2));
  await eventually(() => expect(running).toBe(1));
  await stop();
  expect([running, most]).toEqual([0, 1]);
  const after = done;
  await sleep(60);
  expect(done).toBe(after);
});

test('a tick that fails is told once and tried again, and so is that it works again', async () => {
  const { lines, log } = logOf();
  let ticks = 0;
  const stop = every(log, 'a test', async () => {
    ticks += 1;
    if (ticks === 1) throw new Error('Redis is away');
    return 60_000;
  });
  await eventually(() => expect(lines).toHaveLength(2));
  await stop();
  expect(lines).toMatchObject([
    { level: 'warn', name: 'a test', times: 1, err: { message: 'Redis is away' } },
    { level: 'info', name: 'a test', times: 1, msg: 'ticks work again' },
  ]);
});
