import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAILED_AUTHENTICATIONS_PER_MINUTE } from '../../../domain/project/quota.ts';
import { otherPort } from '../../../domain/shared/listen-fault.ts';
import { freePort } from '../../../infra/embedded/port.ts';
import { type Ground, openGround } from '../../support/api.ts';
import { testEnvironment } from '../../support/environment.ts';

/** Above the limit. */
const REFUSED = 5;
const main = fileURLToPath(new URL('../../../apps/api/main.ts', import.meta.url));
let ground: Ground;
const children: ChildProcess[] = [];

beforeAll(async () => {
  ground = await openGround();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await ground.close();
});

function start(env: Record<string, string>) {
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => output.push(line));
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
  return { child, output, exit };
}

const environment = (port: number, more: Record<string, string> = {}) =>
  testEnvironment({
    DATABASE_URL: ground.databaseUrl,
    REDIS_URL: ground.redisUrl,
    API_PORT: String(port),
    ...more,
  });

async function untilReady(port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the api did not become ready');
}

test('a taken port and a missing variable end the start with one sentence and code 1', async () => {
  const port = await freePort();
  const first = start(environment(port));
  await untilReady(port);
  const second = start(environment(port));
  expect(await second.exit).toEqual([1, null]);
  expect(second.output).toEqual([
    `API_PORT: port ${port} is taken. Stop the program that listens there, or set API_PORT to another port, such as ${otherPort(port)}.`,
  ]);

  const lacking = start(environment(port, { PEPPER: '' }));
  expect(await lacking.exit).toEqual([1, null]);
  expect(lacking.output).toHaveLength(1);
  expect(lacking.output[0]).toMatch(/^PEPPER: /);
  first.child.kill('SIGTERM');
  expect(await first.exit).toEqual([0, null]);
});

test('each 429 is counted by its route and limit, however few of them the log tells', async () => {
  const port = await freePort();
  const api = start(environment(port, { TRUST_PROXY: '1' }));
  await untilReady(port);
  const statuses: number[] = [];
  for (let n = 0; n < FAILED_AUTHENTICATIONS_PER_MINUTE + REFUSED; n += 1) {
    const { status } = await fetch(`http://127.0.0.1:${port}/jobs/1`, {
      // An address of its own: other tests here call from this machine's.
      headers: { 'X-Api-Key': 'nbt_live_unknownunknownun', 'X-Forwarded-For': '203.0.113.7' },
    });
    statuses.push(status);
  }
  expect(statuses.filter((status) => status === 429)).toHaveLength(REFUSED);
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(page.split('\n').filter((line) => line.startsWith('navbat_http_limited_total'))).toEqual([
    `navbat_http_limited_total{method="GET",route="/jobs/{id}",reason="failed-authentication"} ${REFUSED}`,
  ]);
  expect(api.output.filter((line) => line.includes('request refused'))).toHaveLength(1);
  api.child.kill('SIGTERM');
  await api.exit;
});

test('a stop lets a request end that is under way, and accepts no other', async () => {
  const port = await freePort();
  const api = start(environment(port));
  await untilReady(port);
  // Idle for now; a stop must not wait for it.
  const idle = connect(port, '127.0.0.1');
  idle.on('error', () => undefined);
  const slow = connect(port, '127.0.0.1');
  await once(slow, 'connect');
  const head =
    'POST /otp/send HTTP/1.1\r\nHost: x\r\nX-Api-Key: nbt_live_unknownunknownun\r\nContent-Type: application/json\r\n';
  slow.write(`${head}Content-Length: 2\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 200));

  api.child.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 200));
  await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow('fetch failed');
  slow.write('\r\n{}');
  const [answer] = (await once(slow, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
  expect(await api.exit).toEqual([0, null]);
  idle.destroy();
});

test('without Postgres and Redis it starts, says so, and no log line holds a secret', async () => {
  const port = await freePort();
  const env = environment(port, {
    DATABASE_URL: 'postgres://someone:hunter2hunter2@127.0.0.1:9/none',
    REDIS_URL: 'redis://:redispassword@127.0.0.1:9',
    LOG_LEVEL: 'debug',
  });
  const api = start(env);
  for (let tries = 0; tries < 600; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (answer?.status === 503) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const key = 'nbt_live_looksLikeAKeyOfSomebody';
  const answer = await fetch(`http://127.0.0.1:${port}/jobs`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(answer.status).toBe(503);
  api.child.kill('SIGTERM');
  expect(await api.exit).toEqual([0, null]);
  const everything = api.output.join('\n');
  expect(everything).toContain('ECONNREFUSED');
  for (const secret of [
    'hunter2hunter2',
    'redispassword',
    key,
    env['PEPPER'] ?? '',
    (env['CODE_KEYS'] ?? '').split(':')[1] ?? '',
  ])
    expect(everything).not.toContain(secret);
});
