import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../../infra/embedded/port.ts';
import { type EmbeddedPostgres, startPostgres } from '../../../infra/embedded/postgres.ts';
import { isAlive, killProcess, waitUntilGone } from '../../../infra/embedded/process.ts';
import { type EmbeddedRedis, startRedis } from '../../../infra/embedded/redis.ts';

const isRoot = process.getuid?.() === 0;
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function temporaryHome(): Promise<string> {
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
async function initialisedHome(): Promise<string> {
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

async function postgresIn(directory: string, port?: number): Promise<EmbeddedPostgres> {
  const server = await startPostgres({ directory, ...(port === undefined ? {} : { port }) });
  undo.push(server.stop);
  return server;
}

async function redisIn(directory: string, port?: number): Promise<EmbeddedRedis> {
  const server = await startRedis({ directory, ...(port === undefined ? {} : { port }) });
  undo.push(server.stop);
  return server;
}

async function sql<Row extends Record<string, unknown>>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function redis<T>(url: string, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  try {
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

/** Field 6 of proc(5)'s stat: the session that a terminal's Ctrl-C would reach. */
function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}

/** Some process that is none of ours. */
function stranger(): ChildProcess & { pid: number } {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  const { pid } = child;
  if (pid === undefined) throw new Error('sleep did not start');
  undo.push(() => killProcess(pid));
  return Object.assign(child, { pid });
}

describe('an embedded Postgres', () => {
  test('keeps committed rows over a stop and over a kill, at the same address', async () => {
    const home = await initialisedHome();
    const first = await postgresIn(home);
    await sql(first.url, 'create table kept (n int); insert into kept values (1)');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await postgresIn(home, first.port);
    expect(second.url).toBe(first.url);
    await sql(second.url, 'insert into kept values (2)');
    await second.kill();
    expect(isAlive(second.pid)).toBe(false);

    const third = await postgresIn(home, first.port);
    expect(await sql(third.url, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('is UTF8, durable and in a session of its own, whatever the environment says', async () => {
    const { LANG, PGPORT } = process.env;
    delete process.env['LANG'];
    process.env['PGPORT'] = '1';
    undo.push(async () => {
      if (LANG !== undefined) process.env['LANG'] = LANG;
      if (PGPORT === undefined) delete process.env['PGPORT'];
      else process.env['PGPORT'] = PGPORT;
    });
    const server = await postgresIn(await temporaryHome());
    const settings = await sql<{ name: string; setting: string }>(
      server.url,
      `select name, setting from pg_settings where name in
         ('server_encoding', 'fsync', 'synchronous_commit', 'listen_addresses', 'max_connections')`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      server_encoding: 'UTF8',
      fsync: 'on',
      synchronous_commit: 'on',
      listen_addresses: '127.0.0.1',
      max_connections: '200',
    });
    expect(sessionOf(server.pid)).toBe(server.pid);
    expect(sessionOf(server.pid)).not.toBe(sessionOf(process.pid));
  });

  test('lets nobody in without the password', async () => {
    const server = await postgresIn(await initialisedHome());
    const guess = new URL(server.url);
    guess.password = 'guess';
    await expect(sql(guess.href, 'select 1')).rejects.toThrow('password authentication failed');
  });

  test('starts although its pid file names a stranger, and leaves the stranger alone', async () => {
    const home = await initialisedHome();
    const first = await postgresIn(home);
    const pidFile = join(first.dataDirectory, 'postmaster.pid');
    const text = readFileSync(pidFile, 'utf8');
    await first.stop();
    const other = stranger();
    await writeFile(pidFile, text.replace(/^\d+/, String(other.pid)));

    const second = await postgresIn(home);
    expect(await sql(second.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    expect(isAlive(other.pid)).toBe(true);
  });

  test('says in its log why it could not start at a port that is taken', async () => {
    const home = await initialisedHome();
    const port = await freePort();
    const occupier = createServer().listen(port, '127.0.0.1');
    await once(occupier, 'listening');
    undo.push(async () => void occupier.close());
    await expect(startPostgres({ directory: home, port })).rejects.toThrow('Address already in use');
  });

  test.runIf(isRoot)(
    'runs for root in a home that only root may enter, and finds its data again',
    async () => {
      const outer = await temporaryHome();
      const home = join(outer, 'home');
      await mkdir(home);
      await chmod(home, 0o700);
      const first = await postgresIn(home);
      expect(first.dataDirectory).toMatch(/^\/var\/lib\/navbat\/homes\//);
      undo.unshift(() => rm(join(first.dataDirectory, '..'), { recursive: true }));
      await sql(first.url, 'create table kept (n int)');
      await first.stop();

      const second = await postgresIn(home);
      expect(second.dataDirectory).toBe(first.dataDirectory);
      expect(await sql(second.url, 'select n from kept')).toEqual([]);
    },
  );
});

describe('an embedded Redis', () => {
  test('evicts nothing, appends every write and asks for its password', async () => {
    const server = await redisIn(await temporaryHome());
    const settings = await redis(server.url, async (client) => [
      await client.config('GET', 'appendonly'),
      await client.config('GET', 'appendfsync'),
      await client.config('GET', 'maxmemory-policy'),
      await client.config('GET', 'bind'),
    ]);
    expect(settings).toEqual([
      ['appendonly', 'yes'],
      ['appendfsync', 'everysec'],
      ['maxmemory-policy', 'noeviction'],
      ['bind', '127.0.0.1'],
    ]);
    const open = new URL(server.url);
    open.password = '';
    await expect(redis(open.href, (client) => client.ping())).rejects.toThrow('NOAUTH');
    expect(sessionOf(server.pid)).toBe(server.pid);
  });

  test('keeps its keys over a stop and over a kill, at the same address', async () => {
    const home = await temporaryHome();
    const first = await redisIn(home);
    await redis(first.url, (client) => client.set('a', '1'));
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await redisIn(home, first.port);
    expect(second.url).toBe(first.url);
    await redis(second.url, (client) => client.set('b', '2'));
    await second.kill();

    const third = await redisIn(home, first.port);
    expect(await redis(third.url, (client) => client.mget('a', 'b'))).toEqual(['1', '2']);
  });

  test('comes back from an older file that was put in its place', async () => {
    const home = await temporaryHome();
    const first = await redisIn(home);
    await redis(first.url, (client) => client.set('old', '1'));
    const appended = join(first.dataDirectory, 'appendonlydir');
    await cp(appended, join(home, 'older'), { recursive: true });
    await redis(first.url, (client) => client.set('new', '1'));
    await first.kill();

    await rm(appended, { recursive: true });
    await cp(join(home, 'older'), appended, { recursive: true });
    const second = await redisIn(home, first.port);
    expect(await redis(second.url, (client) => client.mget('old', 'new'))).toEqual(['1', null]);
  });

  test('leaves a stranger alone whose pid stands in its pid file', async () => {
    const home = await temporaryHome();
    const first = await redisIn(home);
    await first.stop();
    const other = stranger();
    await writeFile(join(first.dataDirectory, 'server.pid'), `${other.pid}\n`);
    await redisIn(home);
    expect(isAlive(other.pid)).toBe(true);
  });
});

const supervisorLine = z.object({
  postgresPid: z.number(),
  postgresUrl: z.string(),
  redisPid: z.number(),
  redisUrl: z.string(),
});

/** A supervisor of its own, under `wrapper` where one is given. */
async function supervisorIn(home: string, wrapper: readonly string[] = []) {
  const script = fileURLToPath(new URL('./small-supervisor.ts', import.meta.url));
  const [program, ...args] = [...wrapper, process.execPath, script, home];
  const supervisor = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  undo.push(async () => supervisor.kill('SIGKILL'));
  const [line] = await once(createInterface(supervisor.stdout), 'line');
  const servers = supervisorLine.parse(JSON.parse(String(line)));
  undo.push(() => Promise.all([killProcess(servers.postgresPid), killProcess(servers.redisPid)]));
  return { supervisor, ...servers };
}

async function killedSupervisor(home: string) {
  const left = await supervisorIn(home);
  await sql(left.postgresUrl, 'create table kept (n int)');
  await redis(left.redisUrl, (client) => client.set('kept', '1'));
  left.supervisor.kill('SIGKILL');
  await once(left.supervisor, 'exit');
  const servers = [left.postgresPid, left.redisPid];
  expect(await Promise.all(servers.map((pid) => waitUntilGone(pid, 500)))).toEqual([false, false]);
  return left;
}

test('after a kill -9 of whoever started them, the next start stops what was left and has its data', async () => {
  const home = await initialisedHome();
  const left = await killedSupervisor(home);
  const [postgres, store] = await Promise.all([postgresIn(home), redisIn(home)]);
  expect([isAlive(left.postgresPid), isAlive(left.redisPid)]).toEqual([false, false]);
  expect(await sql(postgres.url, 'select n from kept')).toEqual([]);
  expect(await redis(store.url, (client) => client.get('kept'))).toBe('1');
});

const setpriv = '/usr/bin/setpriv';
test.runIf(isRoot && existsSync(setpriv))(
  'what was left is stopped by a root that may not look into processes, as in a container',
  async () => {
    const home = await initialisedHome();
    const left = await killedSupervisor(home);
    const next = await supervisorIn(home, [setpriv, '--bounding-set=-sys_ptrace']);
    expect([isAlive(left.postgresPid), isAlive(left.redisPid)]).toEqual([false, false]);
    expect(await sql(next.postgresUrl, 'select n from kept')).toEqual([]);
    expect(await redis(next.redisUrl, (client) => client.get('kept'))).toBe('1');
  },
);
