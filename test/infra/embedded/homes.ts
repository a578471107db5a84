import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, afterEach } from 'vitest';
import { type EmbeddedPostgres, startPostgres } from '../../../infra/embedded/postgres.ts';
import { killProcess } from '../../../infra/embedded/process.ts';
import { type EmbeddedRedis, startRedis } from '../../../infra/embedded/redis.ts';

export const isRoot = process.getuid?.() === 0;
/** What a test leaves behind, undone after it in reverse order. */
export const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

export async function temporaryHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'navbat-servers-'));
  await chmod(home, 0o711);
  undo.push(() => rm(home, { recursive: true, force: true }));
  return home;
}

let initialised: string | undefined;
afterAll(async () => {
  if (initialised !== undefined) await rm(initialised, { recursive: true });
});

/** A home in which a Postgres ran and was stopped, as a copy: initdb takes longer than the rest of a test. */
export async function initialisedHome(): Promise<string> {
  if (initialised === undefined) {
    initialised = await mkdtemp(join(tmpdir(), 'navbat-initialised-'));
    await chmod(initialised, 0o711);
    const server = await startPostgres({ directory: initialised });
    await server.stop();
  }
  const home = await temporaryHome();
  await cp(initialised, home, { recursive: true });
  return home;
}

export async function postgresIn(directory: string, port?: number): Promise<EmbeddedPostgres> {
  const server = await startPostgres({ directory, ...(port === undefined ? {} : { port }) });
  undo.push(server.stop);
  return server;
}

export async function redisIn(directory: string, port?: number): Promise<EmbeddedRedis> {
  const server = await startRedis({ directory, ...(port === undefined ? {} : { port }) });
  undo.push(server.stop);
  return server;
}

export async function sql<Row extends Record<string, unknown>>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

export async function redis<T>(url: string, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  try {
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

/** Field 6 of proc(5)'s stat: the session that a terminal's Ctrl-C would reach. */
export function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}

/** Some process that is none of ours. */
export function stranger(): ChildProcess & { pid: number } {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  const { pid } = child;
  if (pid === undefined) throw new Error('sleep did not start');
  undo.push(() => killProcess(pid));
  return Object.assign(child, { pid });
}
