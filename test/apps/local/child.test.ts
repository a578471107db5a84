import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Child, type Readiness, startChild } from '../../../apps/local/child.ts';
import { CRASHES_MAX, decideRestart } from '../../../apps/local/restarts.ts';
import { freePort } from '../../../infra/embedded/port.ts';
import { isAlive } from '../../../infra/embedded/process.ts';
import { EVENTUALLY_MS } from '../../support/eventually.ts';

const nobodyForces = new AbortController().signal;
const nobodyStops = new AbortController().signal;
/** The real rule, but for its patience. */
const inHaste: typeof decideRestart = (crashedAtMs, nowMs) =>
  decideRestart(crashedAtMs, nowMs) === 'give-up' ? 'give-up' : { restartInMs: 10 };
const readyLine = JSON.stringify({ level: 'info', time: '2026-01-15T10:00:00Z', msg: 'worker ready' });
const sayReady = `console.log(${JSON.stringify(readyLine)});`;
const stayAlive = 'setInterval(() => {}, 60_000);';

let directory: string;
let children: Child[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'navbat-child-'));
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.stop(AbortSignal.abort())));
  await rm(directory, { recursive: true });
});

async function childThat(does: string, readiness: Readiness = { logMessage: 'worker ready' }) {
  await writeFile(join(directory, 'main.mjs'), does);
  const lines: string[] = [];
  const pids: (number | undefined)[] = [];
  const onGiveUp = vi.fn<(name: string) => void>();
  const child = startChild(
    { name: 'queue', command: ['main.mjs'], readiness },
    {
      directory,
      env: { PATH: process.env['PATH'] ?? '' },
      onLine: (_, line) => void lines.push(line),
      onProcess: (_, pid) => void pids.push(pid),
      onGiveUp,
      decideRestart: inHaste,
    },
  );
  children.push(child);
  return { child, lines, pids, onGiveUp };
}

test('a child is ready once its log says so, and not before', async () => {
  const { child, lines } = await childThat(`setTimeout(() => { ${sayReady} }, 300); ${stayAlive}`);
  await child.untilReady(nobodyStops);
  expect(lines).toContain(readyLine);
});

test('a child is ready once its address answers 2xx, and not while it answers 503', async () => {
  const port = await freePort();
  const { child } = await childThat(
    `import { createServer } from 'node:http';
     let asked = 0;
     createServer((_, response) => {
       asked += 1;
       console.log('asked ' + asked);
       response.writeHead(asked < 3 ? 503 : 200).end();
     }).listen(${port}, '127.0.0.1');`,
    { url: `http://127.0.0.1:${port}/health` },
  );
  await child.untilReady(nobodyStops);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect(answer.status).toBe(200);
});

test('a child that ends before it is ready fails the start at once', async () => {
  const { child, lines, pids } = await childThat(
    `console.error('API_PORT: expected a number'); process.exit(3);`,
  );
  await expect(child.untilReady(nobodyStops)).rejects.toThrow('exit code 3');
  expect(pids).toHaveLength(2);
  expect(lines).toContain('API_PORT: expected a number');
});

test('a child that is killed comes back, and each of its processes is told of', async () => {
  const { child, pids, lines } = await childThat(`${sayReady} ${stayAlive}`);
  await child.untilReady(nobodyStops);
  const [first] = pids;
  process.kill(Number(first), 'SIGKILL');
  await vi.waitFor(() => expect(lines.filter((line) => line === readyLine)).toHaveLength(2), EVENTUALLY_MS);
  expect(pids).toEqual([first, undefined, expect.any(Number)]);
  expect(pids[2]).not.toBe(first);
});

test('a child is asked to end, and what it still does is waited for', async () => {
  const { child, lines, pids } = await childThat(
    `const alive = ${stayAlive}
     process.on('SIGTERM', () => setTimeout(() => { console.log('drained'); clearInterval(alive); }, 300));
     ${sayReady}`,
  );
  await child.untilReady(nobodyStops);
  await child.stop(nobodyForces);
  expect(lines).toContain('drained');
  expect(isAlive(Number(pids[0]))).toBe(false);
});

test('a child that does not end is killed as soon as somebody forces it', async () => {
  const { child, pids } = await childThat(`process.on('SIGTERM', () => {}); ${sayReady} ${stayAlive}`);
  await child.untilReady(nobodyStops);
  const force = new AbortController();
  const stopped = child.stop(force.signal);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(isAlive(Number(pids[0]))).toBe(true);
  force.abort();
  await stopped;
  expect(isAlive(Number(pids[0]))).toBe(false);
});

test('a child that crashes for ever is given up, and not started any more', async () => {
  const { onGiveUp, pids } = await childThat(`${sayReady} process.exitCode = 1;`);
  await vi.waitFor(() => expect(onGiveUp).toHaveBeenCalledExactlyOnceWith('queue'), EVENTUALLY_MS);
  expect(pids.filter((pid) => pid !== undefined)).toHaveLength(CRASHES_MAX);
});
