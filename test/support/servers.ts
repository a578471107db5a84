import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { inject } from 'vitest';
import { migrate } from '../../infra/postgres/migrate.ts';

export interface OpenDatabase {
  /** As navbat_app, as every process has it. */
  readonly url: string;
  /** As navbat_owner: for what a test does to the schema or to rows that no process may change. */
  readonly ownerUrl: string;
  /** Removes it, unless somebody is still connected: the whole server goes at the end of the run. */
  drop(): Promise<void>;
}

export interface FreshDatabase extends OpenDatabase {
  /** As whoever holds the server: no trigger holds them. */
  readonly superuserUrl: string;
}

const TEMPLATE = 'navbat_template';
/** Any fixed number: whoever holds it makes or copies the template. */
const TEMPLATE_LOCK = 7_265_001;

/** A new, migrated database of this test file's own: a copy of a template that the first file of the run migrates. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    await ensureTemplate(admin);
    // Copied as files it costs less than half of the processor time that a copy by WAL takes.
    await admin.query(`create database ${name} owner navbat_owner template ${TEMPLATE} strategy file_copy`);
    // All but the database's own grants is copied.
    await admin.query(`revoke all on database ${name} from public`);
    await admin.query(`grant connect on database ${name} to navbat_app`);
  });
  const drop = () =>
    administer(async (admin) => {
      // Cutting a connection that is just being closed would be an error of the file that closes it.
      await admin.query(`drop database if exists ${name}`).catch(() => undefined);
    });
  const of = (role: 'url' | 'ownerUrl' | 'superuserUrl') => databaseUrl(name, role);
  return { url: of('url'), ownerUrl: of('ownerUrl'), superuserUrl: of('superuserUrl'), drop };
}

/**
 * A URL of this test file's own Redis: a logical database that no other call of the run gets, so that one file's keys
 * are not another's. FLUSHALL and a restart hit every file: a test of those starts its own server (`infra/embedded/redis.ts`).
 */
export async function freshRedis(): Promise<string> {
  // Postgres counts, because a test may well wipe Redis.
  const number = await administer(async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    await admin.query('create sequence if not exists redis_database');
    const next = await admin.query<{ n: string }>(`select nextval('redis_database') n`);
    return Number(next.rows[0]?.n);
  });
  const url = new URL(inject('redisUrl'));
  // Number 0 stays free, for what forgets to choose.
  url.pathname = `/${1 + ((number - 1) % (inject('redisDatabases') - 1))}`;
  const client = new Redis(url.href);
  await client.flushdb();
  await client.quit();
  return url.href;
}

/** Made under another name and renamed, so that a template that is there is whole. */
async function ensureTemplate(admin: Client): Promise<void> {
  const found = await admin.query('select from pg_database where datname = $1', [TEMPLATE]);
  if (found.rowCount !== 0) return;
  const draft = `${TEMPLATE}_draft`;
  await admin.query(`drop database if exists ${draft} with (force)`);
  await admin.query(`create database ${draft} owner navbat_owner`);
  await migrate(databaseUrl(draft, 'ownerUrl'));
  await admin.query(`alter database ${draft} rename to ${TEMPLATE}`);
}

/** Its session ends with it, and so does a lock that it took. */
async function administer<T>(work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: inject('postgres').superuserUrl });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function databaseUrl(name: string, as: 'url' | 'ownerUrl' | 'superuserUrl'): string {
  const url = new URL(inject('postgres')[as]);
  url.pathname = `/${name}`;
  return url.href;
}
