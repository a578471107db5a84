import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';

test("one Ctrl-C, which npm doubles, is one wish; a person's second one forces", async () => {
  const listener = spawn(process.execPath, [fileURLToPath(new URL('./two-wishes.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  const lines = createInterface(listener.stdout).on('line', (line) => said.push(line));
  try {
    await once(lines, 'line');
    listener.kill('SIGINT');
    await sleep(50);
    listener.kill('SIGINT');
    await sleep(1_000);
    expect(said).toEqual(['listening', 'stop']);
    listener.kill('SIGTERM');
    await eventually(() => expect(said).toEqual(['listening', 'stop', 'force']));
  } finally {
    listener.kill('SIGKILL');
  }
});
