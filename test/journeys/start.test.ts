import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { DEMO_PROJECT } from '../../apps/local/demo.ts';
import { ACTIVE_KEYS_MAX } from '../../domain/project/key.ts';
import { freePort } from '../../infra/embedded/port.ts';
import { endProcess, isAlive, waitUntilGone } from '../../infra/embedded/process.ts';
import { logInForTheFirstTime } from '../support/staff-login.ts';

/** `npm start` as a newcomer has it: every process real, in a home of its own. The tests build on each other, in this order. */
const clone = resolve(import.meta.dirname, '../..');
const START_MS = 180_000;
const PHONE = '+998901234567';

interface Start {
  readonly supervisor: ChildProcessByStdio<null, Readable, Readable> & { readonly pid: number };
  readonly lines: string[];
  readonly ended: Promise<number | null>;
}

let home: string;
let ports: { API_PORT: string; BOARD_PORT: string; SANDBOX_PORT: string };
let current: Start;
let key: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'navbat-start-'));
  await chmod(home, 0o711);
  const [API_PORT, BOARD_PORT, SANDBOX_PORT] = [await freePort(), await freePort(), await freePort()].map(
    String,
  );
  ports = { API_PORT: `${API_PORT}`, BOARD_PORT: `${BOARD_PORT}`, SANDBOX_PORT: `${SANDBOX_PORT}` };
});

afterAll(async () => {
  await stopped();
  // What a failed test left behind must not outlive the run.
  for (const pid of pidsOfHome()) await endProcess(pid, 5_000);
  await rm(home, { recursive: true, force: true });
});

async function stopped(): Promise<void> {
  current.supervisor.kill('SIGTERM');
  await current.ended;
}

/** By `node` directly, as npm's shell does, or by a command of one's own. */
function start(
  more: Record<string, string> = {},
  [program, ...args]: readonly [string, ...string[]] = [process.execPath, join(clone, 'apps/local/main.ts')],
): Start {
  const env = { PATH: process.env['PATH'] ?? '', NAVBAT_HOME: home, ...ports, ...more };
  const supervisor = spawn(program, args, {
    env,
    cwd: clone,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = supervisor;
  if (pid === undefined) throw new Error('npm start did not start');
  const lines: string[] = [];
  for (const stream of [supervisor.stdout, supervisor.stderr])
    createInterface(stream).on('line', (line) => lines.push(line));
  const ended = once(supervisor, 'close').then(([code]) => code as number | null);
  current = { supervisor: Object.assign(supervisor, { pid }), lines, ended };
  return current;
}

async function untilReady({ lines, ended }: Start): Promise<void> {
  const early = ended.then((code) => {
    throw new Error(`npm start ended with ${code}:\n${lines.join('\n')}`);
  });
  await Promise.race([
    vi.waitFor(() => expect(lines).toContain('ready'), { timeout: START_MS, interval: 100 }),
    early,
  ]);
}

/** Every process that this home's files name: the children and both servers. */
function pidsOfHome(): number[] {
  const read = (name: string) => {
    try {
      return readFileSync(join(home, name), 'utf8');
    } catch {
      return '';
    }
  };
  const children = z.array(z.object({ pid: z.number() })).parse(JSON.parse(read('children.json') || '[]'));
  const servers = ['postgres/postmaster.pid', 'redis/server.pid'].map((name) =>
    Number.parseInt(read(name), 10),
  );
  return [...children.map(({ pid }) => pid), ...servers].filter((pid) => pid > 0 && isAlive(pid));
}

async function post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`http://127.0.0.1:${ports.API_PORT}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: z.record(z.string(), z.unknown()).parse(await answer.json()) };
}

const getJobs = (withKey: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${ports.API_PORT}/jobs`, { headers: { authorization: `Bearer ${withKey}` } });

const Inbox = z.array(z.object({ text: z.string() }));

async function newestCode(messages: number): Promise<string> {
  const url = `http://127.0.0.1:${ports.SANDBOX_PORT}/inbox.json?to=${encodeURIComponent(PHONE)}`;
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
    const { lines, ...first } = start();
    await untilReady({ lines, ...first });
    const path = join(home, 'first-start.txt');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(home, 'secrets.json'))).mode & 0o777).toBe(0o600);
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
    for (const url of printed.filter((each) => !each.endsWith(`:${ports.API_PORT}`)))
      expect((await fetch(url)).status, url).toBe(200);

    const email = /board login\s+(\S+)/.exec(credentials)?.[1] ?? '';
    const boardUrl = `http://127.0.0.1:${ports.BOARD_PORT}`;
    const { cookie } = await logInForTheFirstTime(boardUrl, email, password);
    expect((await fetch(`${boardUrl}/ops`, { headers: { cookie }, redirect: 'manual' })).status).toBe(200);
  },
  START_MS + 30_000,
);

test('nobody but its owner may read or enter what a start has written', async () => {
  // The home itself lets root's servers pass to their data, and nobody list it.
  const written = await readdir(home, { recursive: true });
  expect(written).toEqual(
    expect.arrayContaining(['children.json', 'running.json', 'sandbox', 'postgres/base']),
  );
  const open = await Promise.all(
    // A server's own files come and go.
    written.map(async (path) => {
      const found = await lstat(join(home, path)).catch(() => null);
      return found && (found.mode & 0o077) !== 0 ? [`${path} ${(found.mode & 0o777).toString(8)}`] : [];
    }),
  );
  expect(open.flat()).toEqual([]);
  expect((await stat(home)).mode & 0o066).toBe(0);
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
  const first = current;
  const second = start({ API_PORT: String(await freePort()) });
  expect(await second.ended).toBe(1);
  expect(second.lines).toEqual([expect.stringContaining(`process ${first.supervisor.pid}`)]);
  current = first;
  expect((await fetch(`http://127.0.0.1:${ports.API_PORT}/health/ready`)).status).toBe(200);
});

test('a killed api comes back', async () => {
  const api = z
    .array(z.object({ name: z.string(), pid: z.number() }))
    .parse(JSON.parse(readFileSync(join(home, 'children.json'), 'utf8')))
    .find(({ name }) => name === 'api');
  process.kill(Number(api?.pid), 'SIGKILL');
  await waitUntilGone(Number(api?.pid), 5_000);
  await vi.waitFor(
    async () => expect((await fetch(`http://127.0.0.1:${ports.API_PORT}/health/ready`)).status).toBe(200),
    { timeout: START_MS, interval: 100 },
  );
});

test('one Ctrl-C stops every process and keeps the data', async () => {
  const pids = pidsOfHome();
  expect(pids.length).toBeGreaterThanOrEqual(7);
  current.supervisor.kill('SIGINT');
  expect(await current.ended).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});

test(
  'the second start finds the data and the key again, takes a given key too, and tells them to nobody',
  async () => {
    const second = start({ NAVBAT_DEMO_KEY: 'nbt_live_given-to-the-second-start' });
    await untilReady(second);
    expect(second.lines.join('\n')).not.toContain('first-start.txt');
    const jobs = z.object({ data: z.array(z.unknown()) }).parse(await (await getJobs(key)).json());
    expect(jobs.data).toHaveLength(1);
    expect((await getJobs('nbt_live_given-to-the-second-start')).status).toBe(200);
  },
  START_MS,
);

test(
  'a start after a kill -9 of the supervisor stops what was left; a key for which there is no room takes the place of the oldest',
  async () => {
    const projects = z.object({ data: z.array(z.object({ id: z.string(), slug: z.string() })) });
    const list = await fetch(`http://127.0.0.1:${ports.API_PORT}/projects`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const demo = projects.parse(await list.json()).data.find(({ slug }) => slug === DEMO_PROJECT);
    for (let keys = 2; keys < ACTIVE_KEYS_MAX; keys++)
      expect((await post(`/projects/${demo?.id}/keys`, {})).status).toBe(201);

    const left = pidsOfHome();
    expect(left.length).toBeGreaterThanOrEqual(7);
    current.supervisor.kill('SIGKILL');
    await current.ended;
    expect(left.filter(isAlive).length).toBeGreaterThan(0);

    const third = start({ NAVBAT_DEMO_KEY: 'nbt_live_given-to-the-third-start' });
    await untilReady(third);
    expect(left.filter(isAlive)).toEqual([]);
    expect((await getJobs('nbt_live_given-to-the-third-start')).status).toBe(200);
    expect((await getJobs(key)).status).toBe(401);
  },
  START_MS,
);

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'npm that is ended by %s, which its shell does not pass on, takes everything with it',
  async (signal) => {
    await stopped();
    const started = start({}, ['npm', 'start']);
    await untilReady(started);
    const pids = pidsOfHome();
    expect(pids.length).toBeGreaterThanOrEqual(7);
    started.supervisor.kill(signal);
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), START_MS);
  },
  START_MS,
);

test('one SIGTERM stops every process', async () => {
  await stopped();
  await untilReady(start());
  const pids = pidsOfHome();
  current.supervisor.kill('SIGTERM');
  expect(await current.ended).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});
