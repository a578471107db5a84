import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../infra/embedded/port.ts';
import { endProcess, isAlive } from '../../infra/embedded/process.ts';
import { baseVariables } from './environment.ts';

const clone = resolve(import.meta.dirname, '../..');
export const START_MS = 180_000;

export interface Start {
  readonly supervisor: ChildProcessByStdio<null, Readable, Readable> & { readonly pid: number };
  readonly lines: string[];
  readonly ended: Promise<number | null>;
}

export interface StartHome {
  readonly path: string;
  readonly ports: Readonly<
    Record<
      'API_PORT' | 'BOARD_PORT' | 'SANDBOX_PORT' | 'SANDBOX_MULTICARD_PORT' | 'SANDBOX_TRAFFIC_PORT',
      string
    >
  >;
  /** By `node` directly, as npm's shell does, or by a command of one's own. */
  start(
    more?: Readonly<Record<string, string>>,
    command?: readonly [program: string, ...args: string[]],
  ): Start;
  /** Every process that this home's files name: the children and both servers. */
  pids(): number[];
  /** What the api answers to the bearer of `key`. */
  call(method: string, path: string, key: string, body?: unknown): Promise<Response>;
  close(): Promise<void>;
}

/** A new home for `npm start` as a newcomer has it: every process real. */
export async function startHome(): Promise<StartHome> {
  const path = await mkdtemp(join(tmpdir(), 'navbat-start-'));
  await chmod(path, 0o711);
  const ports = {
    API_PORT: `${await freePort()}`,
    BOARD_PORT: `${await freePort()}`,
    SANDBOX_PORT: `${await freePort()}`,
    SANDBOX_MULTICARD_PORT: `${await freePort()}`,
    SANDBOX_TRAFFIC_PORT: `${await freePort()}`,
  };
  const starts: Start[] = [];
  const start: StartHome['start'] = (
    more = {},
    [program, ...args] = [process.execPath, join(clone, 'apps/local/main.ts')],
  ) => {
    const started = spawnStart(program, args, { ...baseVariables, NAVBAT_HOME: path, ...ports, ...more });
    starts.push(started);
    return started;
  };
  const close = async () => {
    for (const { supervisor, ended } of starts) {
      supervisor.kill('SIGTERM');
      await ended;
    }
    // What a failed test left behind must not outlive the run.
    for (const pid of pidsOfHome(path)) await endProcess(pid, 5_000);
    await rm(path, { recursive: true, force: true });
  };
  const call: StartHome['call'] = (method, route, key, body) =>
    fetch(`http://127.0.0.1:${ports.API_PORT}${route}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { path, ports, start, pids: () => pidsOfHome(path), call, close };
}

function spawnStart(program: string, args: readonly string[], env: Record<string, string>): Start {
  const supervisor = spawn(program, args, { env, cwd: clone, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = supervisor;
  if (pid === undefined) throw new Error('npm start did not start');
  const lines: string[] = [];
  for (const stream of [supervisor.stdout, supervisor.stderr])
    createInterface(stream).on('line', (line) => lines.push(line));
  const ended = once(supervisor, 'close').then(([code]) => code as number | null);
  return { supervisor: Object.assign(supervisor, { pid }), lines, ended };
}

export async function untilReady({ lines, ended }: Start): Promise<void> {
  const early = ended.then((code) => {
    throw new Error(`npm start ended with ${code}:\n${lines.join('\n')}`);
  });
  await Promise.race([
    vi.waitFor(() => expect(lines).toContain('ready'), { timeout: START_MS, interval: 100 }),
    early,
  ]);
}

function pidsOfHome(home: string): number[] {
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
