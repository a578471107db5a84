import { chown, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from './port.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { endProcess, isAlive, killProcess, run, waitUntilGone, isRunningWith } from './process.ts';
import { makeRoles } from './roles.ts';
import { giveAll, keptSecret, ownedDirectory, prepareSite, type Site } from './data-directory.ts';

export interface PostgresOptions {
  /** The home of this server: its data, its password and its log lie here (or where `dataDirectory` says, as root). */
  readonly directory: string;
  /** Default: a free one. Give the port of an earlier server to come back at the same address. */
  readonly port?: number;
  /** Server settings on top of ours, as in postgresql.conf; values without spaces or quotes. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  /** Of the role that runs every process. */
  readonly url: string;
  /** Of the role that owns the tables and migrates. */
  readonly ownerUrl: string;
  /** Of the superuser, who made both. */
  readonly superuserUrl: string;
  readonly port: number;
  /** Of the postmaster. */
  readonly pid: number;
  readonly dataDirectory: string;
  /** Lets running statements be rolled back, writes everything out, and keeps the data. Harmless on a server that is gone. */
  readonly stop: () => Promise<void>;
  /** SIGKILL to the postmaster, as a crash would; start again in the same directory to recover. */
  readonly kill: () => Promise<void>;
}

const USER = 'navbat';
const DATABASE = 'navbat';

/** initdb takes under a second here; a slow disk may need many. */
const INITDB_TIMEOUT_MS = 120_000;
/** Crash recovery replays up to max_wal_size (1 GB) before the first connection. */
const START_TIMEOUT_S = 120;
/** "fast" ends sessions at once and then writes a checkpoint; past this, "immediate" gives up the checkpoint, not the data. */
const STOP_TIMEOUT_S = 30;
/** A port taken between choice and use, or backends of a killed postmaster that still hold its shared memory, pass quickly. */
const START_TRIES_MAX = 8;
const START_PAUSE_MS = 250;
/** Kept over starts for whoever looks for a reason, and bounded. */
const LOG_BYTES_MAX = 8 * 1024 * 1024;
const LOG_TAIL_CHARS = 1_500;

/** What the README promises of a 202 (fsync, synchronous_commit) and what a small machine can bear. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // TCP alone: a socket's path may be longer than the 107 bytes that the system allows.
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  fsync: 'on',
  synchronous_commit: 'on',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
} satisfies Record<string, string>;

/**
 * Starts a PostgreSQL 18 of our own, bound to 127.0.0.1, in a session of its own, so that a Ctrl-C in the terminal does
 * not reach it. A server that a killed supervisor left in this directory is stopped first. Throws with the end of the
 * server's log when it does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const site = await prepareSite(options.directory);
  const binaries = await postgresBinaries(site.account);
  const password = await keptSecret(site.home, 'postgres.password');
  const owner = await keptSecret(site.home, 'postgres.owner.password');
  const app = await keptSecret(site.home, 'postgres.app.password');
  const dataDirectory = join(site.directory, 'postgres');

  await initialise(binaries, site, dataDirectory, password);
  await stopLeftover(binaries, site, dataDirectory);
  const { port, pid } = await launch(binaries, site, dataDirectory, options);
  const urlOf = (user: string, secret: string) =>
    `postgres://${user}:${secret}@127.0.0.1:${port}/${DATABASE}`;
  const superuserUrl = urlOf(USER, password);
  await ensureDatabase(superuserUrl);
  await makeRoles(superuserUrl, { owner, app });

  return {
    url: urlOf('navbat_app', app),
    ownerUrl: urlOf('navbat_owner', owner),
    superuserUrl,
    port,
    pid,
    dataDirectory,
    stop: () => stopServer(binaries, site, dataDirectory, pid),
    kill: () => killProcess(pid),
  };
}

/** Made beside and renamed: a start that is killed half-way leaves no half cluster. */
async function initialise(
  { initdb }: PostgresBinaries,
  site: Site,
  dataDirectory: string,
  password: string,
): Promise<void> {
  if (await exists(join(dataDirectory, 'PG_VERSION'))) return;
  const draft = `${dataDirectory}.new`;
  await rm(draft, { recursive: true, force: true });
  await ownedDirectory(site, 'postgres.new');
  const passwordFile = join(site.directory, 'postgres.initdb');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await giveFile(passwordFile, site);

  const args = ['--encoding=UTF8', '--locale=C.UTF-8', '--auth=scram-sha-256', `--username=${USER}`];
  const made = await run(initdb, [...args, `--pwfile=${passwordFile}`, '-D', draft], {
    account: site.account,
    timeoutMs: INITDB_TIMEOUT_MS,
  });
  await rm(passwordFile, { force: true });
  if (!made.ok) throw new Error(`PostgreSQL could not make its data directory: ${made.output}`);
  await rename(draft, dataDirectory);
}

/** After a `kill -9` of the supervisor the server still runs; after one of the server, or a reboot, only its pid file is left. */
async function stopLeftover(binaries: PostgresBinaries, site: Site, dataDirectory: string): Promise<void> {
  const left = await postmaster(dataDirectory);
  if (left === undefined) return;
  if (isRunningWith(left.pid, dataDirectory)) {
    await stopServer(binaries, site, dataDirectory, left.pid);
    return;
  }
  // Alive and not ours: a stranger has the pid by now, and Postgres would refuse to start because of it.
  if (isAlive(left.pid)) await rm(join(dataDirectory, 'postmaster.pid'), { force: true });
}

async function launch(
  { pgCtl }: PostgresBinaries,
  site: Site,
  dataDirectory: string,
  options: PostgresOptions,
): Promise<{ port: number; pid: number }> {
  const logFile = join(dataDirectory, 'server.log');
  await boundLog(logFile);
  await giveAll(dataDirectory, site.account);
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort());
    const started = await run(
      pgCtl,
      [
        'start',
        '-w',
        '-t',
        String(START_TIMEOUT_S),
        '-D',
        dataDirectory,
        '-l',
        logFile,
        '-o',
        flags(port, options),
      ],
      { account: site.account, cwd: dataDirectory, timeoutMs: (START_TIMEOUT_S + 5) * 1_000 },
    );
    const running = await postmaster(dataDirectory);
    if (started.ok && running) return { port, pid: running.pid };
    if (tries === START_TRIES_MAX)
      throw new Error(`PostgreSQL did not start: ${await tail(logFile, started.output)}`);
    await sleep(START_PAUSE_MS);
  }
}

/** pg_ctl hands this to a shell, hence the quotes; names and values are our own, never a request's. */
const flags = (port: number, { settings }: PostgresOptions): string =>
  Object.entries({ ...SETTINGS, ...settings, port: String(port) })
    .map(([name, value]) => `-c ${name}='${value}'`)
    .join(' ');

async function stopServer(
  { pgCtl }: PostgresBinaries,
  site: Site,
  dataDirectory: string,
  pid: number,
): Promise<void> {
  for (const mode of ['fast', 'immediate']) {
    if (!isAlive(pid)) return;
    await run(pgCtl, ['stop', '-w', '-t', String(STOP_TIMEOUT_S), '-m', mode, '-D', dataDirectory], {
      account: site.account,
      timeoutMs: (STOP_TIMEOUT_S + 5) * 1_000,
    });
    if (await waitUntilGone(pid, 1_000)) return;
  }
  // Frozen, or its pid file is gone: the signal by number is what remains.
  await endProcess(pid, 1_000);
}

/** The package has no createdb. */
async function ensureDatabase(url: string): Promise<void> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = new Client({ connectionString: maintenance.href });
  await client.connect();
  try {
    const found = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** What postmaster.pid says: its first line is the postmaster's pid. */
async function postmaster(dataDirectory: string): Promise<{ pid: number } | undefined> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isSafeInteger(pid) && pid > 0 ? { pid } : undefined;
}

async function boundLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (file) => file.size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await rename(path, `${path}.1`);
}

async function tail(logFile: string, otherwise: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  return log.slice(-LOG_TAIL_CHARS).trim() || otherwise;
}

async function giveFile(path: string, { account }: Site): Promise<void> {
  if (account) await chown(path, account.uid, account.gid);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
