import { appendFile, chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { startPostgres } from '../../../infra/embedded/postgres.ts';
import { freePort } from '../../../infra/embedded/port.ts';
import { startRedis } from '../../../infra/embedded/redis.ts';
import { newSecrets } from '../../../infra/process/new-secrets.ts';
import { migrate } from '../../../infra/postgres/migrate.ts';
import { type Child, startChild } from './child.ts';
import { type Cores, watchCpu } from './cpu.ts';
import type { Options } from './options.ts';

/** Servers and processes of one bench, in a directory of its own that goes with it. */
export interface Stage {
  readonly options: Options;
  readonly postgresUrl: string;
  /** Of the role that owns the tables. */
  readonly ownerUrl: string;
  /** Each variant has a database of its own, so that a wipe of one leaves the others. */
  redisUrl(database: number): string;
  /** What a process of the platform needs in its environment; each stage has secrets of its own. */
  readonly env: Readonly<Record<string, string>>;
  /** On the bench's own connection, as the owner. */
  readonly sql: Client;
  readonly redis: (database: number) => Redis;
  start(
    name: string,
    file: string,
    env?: Readonly<Record<string, string>>,
    args?: readonly string[],
  ): Promise<Child>;
  stopChild(name: string): Promise<void>;
  /** Cores that each process kept busy until the returned function is called. */
  watch(): () => Cores;
  freePort(): Promise<number>;
}

/** Runs `work` on a new stage and takes it down, whatever comes: Ctrl-C and SIGTERM too. */
export async function onStage(options: Options, work: (stage: Stage) => Promise<void>): Promise<void> {
  const ends: (() => Promise<unknown>)[] = [];
  let ending: Promise<void> | undefined;
  const end = () =>
    (ending ??= (async () => {
      for (const one of ends.toReversed()) await one().catch((error: unknown) => console.error(error));
    })());
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().then(() => process.exit(1)));
  try {
    await work(await build(options, ends));
  } finally {
    await end();
  }
}

async function build(options: Options, ends: (() => Promise<unknown>)[]): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-bench-'));
  // As root the servers run as somebody else, who has to pass through here.
  await chmod(directory, 0o711);
  ends.push(() => rm(directory, { recursive: true, force: true }));
  const postgres = await startPostgres({ directory, ...(options.profile && { settings: profiled }) });
  ends.push(async () => {
    if (options.profile) await writeStatements(postgres.superuserUrl, options.profile);
    await postgres.stop();
    // As root the data may lie elsewhere.
    await rm(postgres.dataDirectory, { recursive: true, force: true });
  });
  const redisServer = await startRedis({ directory });
  ends.push(async () => {
    await redisServer.stop();
    await rm(redisServer.dataDirectory, { recursive: true, force: true });
  });
  await migrate(postgres.ownerUrl);
  await grantCheckpoints(postgres.superuserUrl);
  const sql = new Client({ connectionString: postgres.ownerUrl });
  await sql.connect();
  ends.push(() => sql.end());
  await assertDurable(sql);
  const pids = new Map([
    ['bench', process.pid],
    ['postgres', postgres.pid],
    ['redis', redisServer.pid],
  ]);
  const env = environment(postgres.url, postgres.ownerUrl, redisServer.url);
  const servers = {
    postgresUrl: postgres.url,
    ownerUrl: postgres.ownerUrl,
    sql,
    freePort,
    ...redisOf(redisServer.url, ends),
  };
  return { options, env, ...servers, ...children(options, env, pids, ends) };
}

/** What stands in a function is told too: there most of the time goes. */
const profiled = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'all',
  'pg_stat_statements.track_planning': 'on',
};

/** The statements that took most, as lines of JSON in `statements.jsonl`. Times are by the clock, as long as each was let run. */
async function writeStatements(superuserUrl: string, directory: string): Promise<void> {
  const superuser = new Client({ connectionString: superuserUrl });
  await superuser.connect();
  await superuser.query('create extension if not exists pg_stat_statements');
  const { rows } = await superuser.query(readStatements);
  await superuser.end();
  await appendFile(
    join(directory, 'statements.jsonl'),
    rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  );
}

const readStatements = `
select calls::int, round(total_exec_time)::int exec_ms, round(total_plan_time)::int plan_ms, round((1000 * (mean_exec_time + mean_plan_time))::numeric)::int mean_us,
  round((1000 * min_exec_time)::numeric)::int min_us, round(shared_blks_hit / calls::numeric)::int blocks, toplevel, query
from pg_stat_statements where calls > 0 order by total_exec_time + total_plan_time desc limit 200`;

/** A stopwatch starts on a server that has nothing left to write. */
async function grantCheckpoints(superuserUrl: string): Promise<void> {
  const superuser = new Client({ connectionString: superuserUrl });
  await superuser.connect();
  await superuser.query('grant pg_checkpoint to navbat_owner');
  await superuser.end();
}

const environment = (DATABASE_URL: string, MIGRATE_DATABASE_URL: string, REDIS_URL: string) => ({
  ...newSecrets(new Date()),
  DATABASE_URL,
  MIGRATE_DATABASE_URL,
  REDIS_URL,
});

/** A figure without these would be of another promise. */
async function assertDurable(sql: Client): Promise<void> {
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    const { rows } = await sql.query<Record<string, string>>(`show ${setting}`);
    if (rows[0]?.[setting] !== 'on') throw new Error(`${setting} is ${rows[0]?.[setting]}: expected on`);
  }
}

function redisOf(url: string, ends: (() => Promise<unknown>)[]) {
  const clients = new Map<number, Redis>();
  const redisUrl = (database: number) => `${url}/${database}`;
  const redis = (database: number) => {
    const client = clients.get(database) ?? new Redis(redisUrl(database), { maxRetriesPerRequest: null });
    if (!clients.has(database)) ends.push(async () => client.disconnect());
    clients.set(database, client);
    return client;
  };
  return { redisUrl, redis };
}

function children(
  { profile }: Options,
  shared: Readonly<Record<string, string>>,
  pids: Map<string, number>,
  ends: (() => Promise<unknown>)[],
) {
  const running = new Map<string, Child>();
  const stopChild = async (name: string) => {
    await running.get(name)?.stop();
    running.delete(name);
    pids.delete(name);
  };
  return {
    start: async (
      name: string,
      file: string,
      env: Readonly<Record<string, string>> = {},
      args: readonly string[] = [],
    ) => {
      const child = await startChild({ file, args, env: { ...shared, ...env }, profile });
      running.set(name, child);
      pids.set(name, child.pid);
      ends.push(() => stopChild(name));
      return child;
    },
    stopChild,
    watch: () => watchCpu(() => pids),
  };
}
