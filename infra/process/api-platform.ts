import { Pool } from 'pg';
import type { RowGuard } from '../../domain/project/port.ts';
import { type OpenQuotaCounter, quotaCounter } from '../limits/quota-counter.ts';
import { openOrm } from '../postgres/engine/orm.ts';
import { connection } from '../postgres/engine/session.ts';
import { rowGuard } from '../postgres/project/rows.ts';
import type { Logger } from './log.ts';
import { openPlatform, type Platform } from './platform.ts';
import type { ProcessConfig } from './variables.ts';

/** Keys, usage and depth: short reads, beside the intake's own pool. */
const READ_CONNECTIONS_MAX = 4;
/** Two batches of the intake at once, and checks beside them. */
const HOT_CONNECTIONS_MAX = 8;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;

type Config = ProcessConfig<'api'>;

/** What the customers' door needs beside: everyday writes, and the limits of each project. */
export interface ApiPlatform extends Platform<Config> {
  readonly orm: Awaited<ReturnType<typeof openOrm>>;
  readonly counter: OpenQuotaCounter;
  readonly rows: RowGuard;
}

export async function openApiPlatform(config: Config, log: Logger): Promise<ApiPlatform> {
  const orm = await openOrm(config.DATABASE_URL);
  const read = readPool(config, log);
  const platform = await openPlatform(config, log, { connectionsMax: HOT_CONNECTIONS_MAX, read });
  const counter = quotaCounter(platform.redis);
  const close = async () => {
    counter.close();
    await platform.close();
    await orm.close(true);
  };
  return { ...platform, orm, counter, rows: rowGuard(read), close };
}

function readPool({ DATABASE_URL }: Config, log: Logger): Pool {
  const pool = new Pool(
    connection(DATABASE_URL, {
      max: READ_CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
    }),
  );
  pool.on('error', (err: Error) => log.debug({ err }, 'connection lost'));
  // The pool listens to its idle connections alone.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
