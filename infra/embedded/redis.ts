import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chown, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './port.ts';
import { endProcess, isAlive, killProcess, isRunningWith } from './process.ts';
import { findRedis, type RedisBinary } from './redis-binary.ts';
import { giveAll, keptSecret, ownedDirectory, prepareSite, type Site } from './data-directory.ts';

export interface RedisOptions {
  /** The home of this server: its data, its password and its log lie here (or where `dataDirectory` says, as root). */
  readonly directory: string;
  /** Default: a free one. Give the port of an earlier server to come back at the same address. */
  readonly port?: number;
  /** Default true. False: it keeps nothing by itself, and loads a `dump.rdb` that lies in `dataDirectory`. */
  readonly appendonly?: boolean;
  /** Logical databases; default 16. */
  readonly databases?: number;
}

export interface EmbeddedRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Holds `appendonlydir/` and `dump.rdb`; what is copied back here while it is stopped is what the next start loads. */
  readonly dataDirectory: string;
  /** Writes everything out and keeps the data. Harmless on a server that is gone. */
  readonly stop: () => Promise<void>;
  /** SIGKILL, as a crash would; start again in the same directory to recover. */
  readonly kill: () => Promise<void>;
}

/** Loading 1 GB of append-only file takes some ten seconds. */
const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 10_000;
const POLL_MS = 25;
/** A port taken between choice and use. */
const START_TRIES_MAX = 5;
const LOG_TAIL_CHARS = 1_000;
const DATABASES = 16;

/**
 * Starts a Redis of our own on 127.0.0.1 with a password, append-only on and `noeviction` (BullMQ's keys must never be
 * evicted), in a session of its own, so that a Ctrl-C in the terminal does not reach it. A server that a killed
 * supervisor left in this directory is stopped first: two of them on one append-only file would destroy it.
 */
export async function startRedis(options: RedisOptions): Promise<EmbeddedRedis> {
  const site = await prepareSite(options.directory);
  const binary = await findRedis(site.account);
  const password = await keptSecret(site.home, 'redis.password');
  const dataDirectory = await realpath(await ownedDirectory(site, 'redis'));

  await stopLeftover(dataDirectory);
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort());
    await writeConfiguration(site, dataDirectory, password, { ...options, port });
    const pid = launch(binary, site, dataDirectory);
    const url = `redis://:${password}@127.0.0.1:${port}`;
    if (await answers(url, pid)) {
      const stop = () => endProcess(pid, STOP_GRACE_MS);
      return { url, port, pid, dataDirectory, stop, kill: () => killProcess(pid) };
    }
    await killProcess(pid);
    if (tries === START_TRIES_MAX)
      throw new Error(`Redis did not start: ${await tail(join(dataDirectory, 'server.log'))}`);
  }
}

async function stopLeftover(dataDirectory: string): Promise<void> {
  const pidFile = join(dataDirectory, 'server.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (Number.isSafeInteger(pid) && isRunningWith(pid, configurationFile(dataDirectory)))
    await endProcess(pid, STOP_GRACE_MS);
  await rm(pidFile, { force: true });
}

const configurationFile = (dataDirectory: string): string => join(dataDirectory, 'redis.conf');

/** In a file of mode 0600, not on the command line, which every account of the machine can read. */
async function writeConfiguration(
  { account }: Site,
  dataDirectory: string,
  password: string,
  { port, appendonly = true, databases = DATABASES }: RedisOptions & { readonly port: number },
): Promise<void> {
  const path = configurationFile(dataDirectory);
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(dataDirectory)}`,
    `databases ${databases}`,
    `appendonly ${appendonly ? 'yes' : 'no'}`,
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    // The append-only file is the record; a snapshot beside it would only double the writes.
    'save ""',
    'daemonize no',
    // Its command line stays as it was, so that the next start can tell it from a stranger with its pid.
    'set-proc-title no',
  ];
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  if (account) await chown(path, account.uid, account.gid);
  await giveAll(dataDirectory, account);
}

/**
 * The shell writes its own pid down and then becomes the server: from the first moment that the server could touch its
 * files, the next start can find it, even if we are killed right after the spawn.
 */
function launch({ program, env }: RedisBinary, { account }: Site, dataDirectory: string): number {
  const log = openSync(join(dataDirectory, 'server.log'), 'w', 0o600);
  try {
    const child = spawn(
      'sh',
      [
        '-c',
        'umask 077 && echo $$ > server.pid && exec "$@"',
        'sh',
        program,
        configurationFile(dataDirectory),
      ],
      { ...account, env, cwd: dataDirectory, detached: true, stdio: ['ignore', log, log] },
    );
    // A spawn that fails has no pid, and says so below; the event would otherwise end the process.
    child.once('error', () => undefined);
    child.unref();
    if (child.pid === undefined) throw new Error(`Redis could not be run: ${program}`);
    return child.pid;
  } finally {
    closeSync(log);
  }
}

/** True once it has loaded its data and answers; false when the process ended first or the time is up. */
async function answers(url: string, pid: number): Promise<boolean> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (isAlive(pid) && performance.now() < deadline) {
    if (await ping(url)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

async function ping(url: string): Promise<boolean> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  });
  // Refused while it starts, LOADING while it reads: both come through the calls below as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function tail(path: string): Promise<string> {
  const log = await readFile(path, 'utf8').catch(() => '');
  return log.slice(-LOG_TAIL_CHARS).trim();
}
