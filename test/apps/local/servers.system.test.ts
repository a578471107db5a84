import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { keepServer } from '../../../apps/local/servers.ts';
import { isAlive } from '../../../infra/embedded/process.ts';
import { eventually } from '../../support/eventually.ts';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** A process that only lives, and where it was asked to listen. */
function starter() {
  const ports: (number | undefined)[] = [];
  const start = async (port?: number) => {
    ports.push(port);
    if (ports.length === 2) throw new Error('the port is not free yet');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)']);
    started.push(child);
    await once(child, 'spawn');
    const stop = async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    };
    return { url: 'redis://127.0.0.1:7000', port: 7_000, pid: Number(child.pid), stop };
  };
  return { ports, start };
}

test('a server that was killed comes back at its address, is tried again where that fails, and ends with its stop', async () => {
  const { ports, start } = starter();
  const troubles: string[] = [];
  const kept = await keepServer('Redis', {
    start,
    isAlive,
    onTrouble: (sentence) => void troubles.push(sentence),
  });
  started[0]?.kill('SIGKILL');
  await eventually(() => expect(started).toHaveLength(2));
  expect(ports).toEqual([undefined, 7_000, 7_000]);
  expect(troubles).toEqual([
    'Redis is gone; it starts again.',
    'the port is not free yet',
    'Redis is gone; it starts again.',
  ]);
  await kept.stop();
  expect(isAlive(Number(started[1]?.pid))).toBe(false);
});
