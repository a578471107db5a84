import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { START_MS, startHome, untilReady } from '../../support/npm-start.ts';

const clone = resolve(import.meta.dirname, '../../..');
const WALK_MS = 600_000;

/** The commands of docs/earn.md, but for those that start it and show the demonstration. */
function commands(): string {
  const page = readFileSync(join(clone, 'docs/earn.md'), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.slice(2).join('\n');
}

test(
  'a newcomer who pastes docs/earn.md line by line has money on the card of the sandbox',
  async () => {
    const home = await startHome();
    onTestFinished(() => home.close());
    const start = home.start({}, [process.execPath, join(clone, 'apps/local/main.ts'), '--with', 'pay,earn']);
    await untilReady(start);
    // As in a terminal: what fails ends it, and is told.
    const bash = spawn('bash', ['-euo', 'pipefail', '-c', commands()], {
      cwd: clone,
      env: { PATH: process.env['PATH'] ?? '', HOME: home.path, NAVBAT_HOME: home.path, ...home.ports },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [said, complained] = [text(bash.stdout), text(bash.stderr)];
    const [code] = (await once(bash, 'close')) as [number | null];
    const out = await said;
    expect([code, await complained, out.slice(-2_000)]).toEqual([0, expect.any(String), expect.any(String)]);
    for (const words of [
      '"tiyin_per_mb":150',
      '"accepted":1,"repeated":0',
      '"accepted":0,"repeated":1',
      '"reason":"no-counterpart"',
      '"verdict":"pay"',
      '"pending":"1200000"',
      '"state":"set"',
      '"available":"1200000"',
      '"state":"paid"',
    ])
      expect(out).toContain(words);
    // What the rail paid, in tiyin.
    expect(out).toMatch(/"amount":1200000\b/);
  },
  START_MS + WALK_MS,
);
