import { readFileSync } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../../infra/embedded/port.ts';
import { isAlive, waitUntilGone } from '../../../infra/embedded/process.ts';
import { type Start, START_MS, startHome, type StartHome, untilReady } from '../../support/npm-start.ts';
import { logInForTheFirstTime } from '../../support/staff-login.ts';

/**
 * `npm start` as a newcomer has it, in a home of its own. The tests build on each other, in this order. Kills are
 * in `test/chaos/start-kills.test.ts`.
 */
const PHONE = '+998901234567';

let home: StartHome;
let current: Start;
let key: string;

beforeAll(async () => {
  home = await startHome();
});
afterAll(() => home.close());

async function post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await home.call('POST', path, key, body);
  return { status: answer.status, body: z.record(z.string(), z.unknown()).parse(await answer.json()) };
}

const Inbox = z.array(z.object({ text: z.string() }));

async function newestCode(messages: number): Promise<string> {
  const url = `http://127.0.0.1:${home.ports.SANDBOX_PORT}/inbox.json?to=${encodeURIComponent(PHONE)}`;
  return vi.waitFor(
    async () => {
      const inbox = Inbox.parse(await (await fetch(url)).json());
      expect(inbox.length).toBeGreaterThanOrEqual(messages);
      return /\b\d{6}\b/.exec(inbox.at(-1)?.text ?? '')?.[0] ?? '';
    },
    { timeout: START_MS, interval: 100 },
  );
}

test(
  'the first start reaches ready, prints where everything is, and keeps the credentials out of the log',
  async () => {
    current = home.start();
    const { lines } = current;
    await untilReady(current);
    const path = join(home.path, 'first-start.txt');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(home.path, 'secrets.json'))).mode & 0o777).toBe(0o600);
    expect(lines.find((line) => line.endsWith(path))).toBeDefined();
    const credentials = await readFile(path, 'utf8');
    key = /nbt_live_\S+/.exec(credentials)?.[0] ?? '';
    const password = /board password\s+(\S+)/.exec(credentials)?.[1] ?? '';
    expect(key).not.toBe('');
    expect(password).not.toBe('');
    expect(lines.join('\n')).not.toContain(key);
    expect(lines.join('\n')).not.toContain(password);

    const printed = lines.flatMap((line) => /^\w+ +(http:\S+)$/.exec(line)?.[1] ?? []);
    expect(printed).toHaveLength(6);
    for (const url of printed.filter((each) => !each.endsWith(`:${home.ports.API_PORT}`)))
      expect((await fetch(url)).status, url).toBe(200);

    const email = /board login\s+(\S+)/.exec(credentials)?.[1] ?? '';
    const boardUrl = `http://127.0.0.1:${home.ports.BOARD_PORT}`;
    const { cookie } = await logInForTheFirstTime(boardUrl, email, password);
    expect((await fetch(`${boardUrl}/ops`, { headers: { cookie }, redirect: 'manual' })).status).toBe(200);
  },
  START_MS + 30_000,
);

test('nobody but its owner may read or enter what a start has written', async () => {
  // The home itself lets root's servers pass to their data, and nobody list it.
  const written = await readdir(home.path, { recursive: true });
  expect(written).toEqual(
    expect.arrayContaining(['children.json', 'running.json', 'sandbox', 'postgres/base']),
  );
  const open = await Promise.all(
    // A server's own files come and go.
    written.map(async (path) => {
      const found = await lstat(join(home.path, path)).catch(() => null);
      return found && (found.mode & 0o077) !== 0 ? [`${path} ${(found.mode & 0o777).toString(8)}`] : [];
    }),
  );
  expect(open.flat()).toEqual([]);
  expect((await stat(home.path)).mode & 0o066).toBe(0);
});

test('the tour: a code is sent, stands in the inbox, works once and not twice', async () => {
  const sent = await post('/otp/send', { to: PHONE });
  expect(sent.status).toBe(202);
  const check = { id: sent.body['id'], code: await newestCode(1) };
  expect(await post('/otp/verify', check)).toMatchObject({ status: 200, body: { status: 'approved' } });
  expect((await post('/otp/verify', check)).status).toBe(410);
});

test('the demo is the project that the bot signs people in for', async () => {
  // Its door is open: only the proof is missing.
  const refused = { id: 1, auth_date: 1, hash: 'no' };
  expect(await post('/auth/telegram', refused)).toMatchObject({ status: 422, body: { reason: 'malformed' } });
});

test('a second start in the same home is refused while the first runs, and disturbs nothing', async () => {
  const second = home.start({ API_PORT: String(await freePort()) });
  expect(await second.ended).toBe(1);
  expect(second.lines).toEqual([expect.stringContaining(`process ${current.supervisor.pid}`)]);
  expect((await fetch(`http://127.0.0.1:${home.ports.API_PORT}/health/ready`)).status).toBe(200);
});

test('a killed api comes back', async () => {
  const api = z
    .array(z.object({ name: z.string(), pid: z.number() }))
    .parse(JSON.parse(readFileSync(join(home.path, 'children.json'), 'utf8')))
    .find(({ name }) => name === 'api');
  process.kill(Number(api?.pid), 'SIGKILL');
  await waitUntilGone(Number(api?.pid), 5_000);
  await vi.waitFor(
    async () =>
      expect((await fetch(`http://127.0.0.1:${home.ports.API_PORT}/health/ready`)).status).toBe(200),
    { timeout: START_MS, interval: 100 },
  );
});

test('one Ctrl-C stops every process and keeps the data', async () => {
  const pids = home.pids();
  expect(pids.length).toBeGreaterThanOrEqual(7);
  current.supervisor.kill('SIGINT');
  expect(await current.ended).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});

test(
  'the second start finds the data and the key again, takes a given key too, and prints only the path again',
  async () => {
    const second = home.start({ NAVBAT_DEMO_KEY: 'nbt_live_given-to-the-second-start' });
    current = second;
    await untilReady(second);
    expect(second.lines.find((line) => line.endsWith(join(home.path, 'first-start.txt')))).toBeDefined();
    expect(second.lines.join('\n')).not.toMatch(/nbt_live_/);
    const jobs = z
      .object({ data: z.array(z.unknown()) })
      .parse(await (await home.call('GET', '/jobs', key)).json());
    expect(jobs.data).toHaveLength(1);
    expect((await home.call('GET', '/jobs', 'nbt_live_given-to-the-second-start')).status).toBe(200);
  },
  START_MS,
);

test('one SIGTERM stops every process', async () => {
  const pids = home.pids();
  expect(pids.length).toBeGreaterThanOrEqual(7);
  current.supervisor.kill('SIGTERM');
  expect(await current.ended).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});
