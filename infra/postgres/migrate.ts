import pg from 'pg';
import { ConfigError, readConfig } from '../process/config.ts';
import { environment } from '../process/environment.ts';
import { processVariables } from '../process/variables.ts';
import { runOnce } from '../process/run.ts';
import { openOrm } from './engine/orm.ts';
import { migrations } from './schema.ts';

/** Of any number of processes one migrates, and the others then find it done. */
const MIGRATION_LOCK = 7_231_902;
/** Longer than any migration; who waits for longer is told that another one still runs. */
const LOCK_WAIT_MS = 10 * 60_000;
/** Postgres: a lock was not to be had within `lock_timeout`. */
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Brings the schema up to date; safe to run from two processes at once, and again.
 *
 * @throws OtherSchemaError, before anything was changed.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const lock = new pg.Client({ connectionString: databaseUrl });
  // It is idle meanwhile: without a listener its loss would end the process in the middle of a migration.
  lock.on('error', () => undefined);
  await lock.connect();
  try {
    // In a transaction, since through a pooler only that keeps a server's connection, and leaves nothing on it.
    await lock.query('begin');
    await lock.query(`set local lock_timeout = ${LOCK_WAIT_MS}`);
    await lock.query('set local idle_in_transaction_session_timeout = 0');
    await lock.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await migrateAlone(databaseUrl);
  } finally {
    // It wrote nothing: whether the end of it arrives or its connection is gone, the lock is free.
    await lock.query('rollback').catch(() => undefined);
    await lock.end();
  }
}

async function migrateAlone(databaseUrl: string): Promise<void> {
  const orm = await openOrm(databaseUrl);
  try {
    refuseOtherSchema(await orm.migrator.getExecuted());
    await orm.migrator.up();
  } finally {
    await orm.close(true);
  }
}

/** The database holds tables of another version, which this one can't bring up to date. Nothing of it was changed. */
export class OtherSchemaError extends ConfigError {}

/** Versions before 0.2.0 had other tables under the same names: to add to them would damage what they hold. */
function refuseOtherSchema(executed: readonly { readonly name: string }[]): void {
  const ours = new Set<string>(migrations.map(({ name }) => name));
  const other = executed.find(({ name }) => !ours.has(name));
  if (other)
    throw new OtherSchemaError(
      `DATABASE_URL: this database was migrated by another version of Navbat (${other.name}), and is left as it is. ` +
        'Name an empty database, or run the version that made it.',
    );
}

/** What whoever runs it can mend: by Postgres's or Node's own code. */
const mendable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Postgres does not answer there. Start it, or correct the address.',
  ENOTFOUND: 'There is no such host. Correct the address.',
  '28P01': 'The password is wrong.',
  '28000': 'That user may not log in.',
  '3D000': 'There is no such database. Create it first.',
  [LOCK_NOT_AVAILABLE]:
    'Another migration of it has run for ten minutes. Wait until it ends, then run this again.',
};

async function migrateOnce(): Promise<void> {
  try {
    await migrate(readConfig(environment(), processVariables.migrate).DATABASE_URL);
  } catch (error) {
    const advice = error instanceof Error && 'code' in error ? mendable[String(error.code)] : undefined;
    throw advice ? new ConfigError(`DATABASE_URL: ${advice}`) : error;
  }
}

if (import.meta.main) await runOnce(migrateOnce);
