import pg from 'pg';
import { ConfigError, readConfig } from '../process/config.ts';
import { environment } from '../process/environment.ts';
import { processVariables } from '../process/variables.ts';
import { runOnce } from '../process/run.ts';
import { applyGrants } from './engine/grants.ts';
import { loginFault } from './engine/login-fault.ts';
import { openOrm } from './engine/orm.ts';
import { connection } from './engine/session.ts';
import { grants } from './grants.ts';
import { migrations } from './schema.ts';

/** Of any number of processes one migrates, and the others then find it done. */
const MIGRATION_LOCK = 7_231_902;
/** Longer than any migration; who waits for longer is told that another one still runs. */
const LOCK_WAIT_MS = 10 * 60_000;
/** Postgres: a lock was not to be had within `lock_timeout`. */
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Brings the schema and what `navbat_app` may do up to date; safe to run from two processes at once, and again. `ownerUrl` is of the
 * role that owns the tables.
 *
 * @throws OtherSchemaError, before anything was changed.
 */
export async function migrate(ownerUrl: string): Promise<void> {
  const lock = new pg.Client(connection(ownerUrl));
  // It is idle meanwhile: without a listener its loss would end the process in the middle of a migration.
  lock.on('error', () => undefined);
  await lock.connect();
  try {
    // In a transaction, since through a pooler only that keeps a server's connection, and leaves nothing on it.
    await lock.query('begin');
    await lock.query(`set local lock_timeout = ${LOCK_WAIT_MS}`);
    await lock.query('set local idle_in_transaction_session_timeout = 0');
    await lock.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await migrateAlone(ownerUrl);
  } finally {
    // It wrote nothing: whether the end of it arrives or its connection is gone, the lock is free.
    await lock.query('rollback').catch(() => undefined);
    await lock.end();
  }
}

async function migrateAlone(ownerUrl: string): Promise<void> {
  const pool = new pg.Pool(connection(ownerUrl, { max: 1 }));
  pool.on('error', () => undefined);
  const orm = await openOrm(ownerUrl);
  try {
    await refuseOtherOwner(pool);
    refuseOtherSchema(await orm.migrator.getExecuted());
    await closeNewFunctions(pool);
    await orm.migrator.up();
    await applyGrants(pool, grants);
  } finally {
    await orm.close(true);
    await pool.end();
  }
}

/** Where the roles of a database are made. */
const SECTION = 'docs/operations.md, "Database roles"';

interface Migrating {
  readonly name: string;
  readonly is_superuser: boolean;
  /** Something here that belongs to another role, and to which. */
  readonly foreign: string | null;
}

/**
 * What a superuser makes runs with a superuser's rights where it runs as its owner, and what two roles made is nobody's to migrate.
 * Said before anything is changed.
 */
async function refuseOtherOwner(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<Migrating>(migratingSql);
  const [role] = rows;
  if (!role) throw new Error('a session without a role');
  if (role.is_superuser)
    throw new ConfigError(
      `MIGRATE_DATABASE_URL: ${role.name} is a superuser. Expected navbat_owner, which owns the tables (${SECTION}).`,
    );
  if (role.foreign !== null)
    throw new ConfigError(
      `MIGRATE_DATABASE_URL: ${role.name} does not own ${role.foreign}. ` +
        `Name navbat_owner; if that is ${role.name}, run infra/deploy/roles.sql as a superuser, which hands it over (${SECTION}).`,
    );
}

// The owner of a database is a member of pg_database_owner there.
const migratingSql = `
select r.rolname::text name, r.rolsuper is_superuser, (
  select format('%s, which belongs to %s', o.what, o.owner::regrole) from (
    select 1 place, 'the database' what, datdba owner from pg_database where datname = current_database()
    union all select 2, 'schema public', nspowner from pg_namespace where nspname = 'public'
    union all select 3, 'table ' || relname, relowner from pg_class c
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
        and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')) o
  where o.owner <> r.oid and not (o.owner = 'pg_database_owner'::regrole and pg_has_role(r.oid, o.owner, 'usage'))
  order by o.place, o.what limit 1) "foreign"
from pg_roles r where r.rolname = current_user`;

/** A function that a migration makes can be called by nobody before the list says so. */
const closeNewFunctions = (pool: pg.Pool): Promise<unknown> =>
  pool.query('alter default privileges revoke execute on functions from public');

/** The database holds tables of another version, which this one can't bring up to date. Nothing of it was changed. */
export class OtherSchemaError extends ConfigError {}

/** Versions before 0.2.0 had other tables under the same names: to add to them would damage what they hold. */
function refuseOtherSchema(executed: readonly { readonly name: string }[]): void {
  const ours = new Set<string>(migrations.map(({ name }) => name));
  const other = executed.find(({ name }) => !ours.has(name));
  if (other)
    throw new OtherSchemaError(
      `MIGRATE_DATABASE_URL: this database was migrated by another version of Navbat (${other.name}), and is left as it is. ` +
        'Name an empty database, or run the version that made it.',
    );
}

/** What whoever runs it can mend: by Postgres's or Node's own code. */
const mendable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Postgres does not answer there. Start it, or correct the address.',
  ENOTFOUND: 'There is no such host. Correct the address.',
  '42501':
    'That user does not own all that is in schema public. Name navbat_owner, after infra/deploy/roles.sql (docs/operations.md, "Database roles").',
  '42704': 'There is no role navbat_app. Create it first (docs/operations.md, "Database roles" has the SQL).',
  [LOCK_NOT_AVAILABLE]:
    'Another migration of it has run for ten minutes. Wait until it ends, then run this again.',
};

async function migrateOnce(): Promise<void> {
  try {
    await migrate(readConfig(environment(), processVariables.migrate).MIGRATE_DATABASE_URL);
  } catch (error) {
    const refused = loginFault('MIGRATE_DATABASE_URL', error);
    if (refused) throw refused;
    const advice = error instanceof Error && 'code' in error ? mendable[String(error.code)] : undefined;
    throw advice ? new ConfigError(`MIGRATE_DATABASE_URL: ${advice}`) : error;
  }
}

if (import.meta.main) await runOnce(migrateOnce);
