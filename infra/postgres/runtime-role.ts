import pg from 'pg';
import { ConfigError } from '../process/config.ts';
import { APP_ROLE, differences, inWords } from './engine/grants.ts';
import { refuseLogin } from './engine/login-fault.ts';
import type { Queryable } from './engine/transaction.ts';
import { grants } from './grants.ts';
import { shapeFaults } from './runtime-shape.ts';
import { surroundingFaults } from './runtime-surroundings.ts';
import { migrations } from './schema.ts';

const SECTION = 'docs/operations.md, "Database roles"';

interface Role {
  readonly name: string;
  readonly is_superuser: boolean;
  /** `createrole` and such. */
  readonly powers: string[];
  readonly member_of: string[];
  /** Something in this database that it owns. */
  readonly owns: string | null;
  /** Settings that a superuser let it change. */
  readonly parameters: string[];
}

/**
 * Whether a process may run as whom DATABASE_URL logs in, on the schema that is there: triggers and grants hold nobody who owns the
 * tables, and a process that has too few grants fails at its first statement. With `anyShape` whatever the tables have become: what
 * verifies them only reads.
 *
 * @throws ConfigError saying what differs and what to do.
 */
export async function refuseOtherRole(db: Queryable, { anyShape = false } = {}): Promise<void> {
  const { rows } = await db.query<Role>(roleSql).catch(refuseLogin('DATABASE_URL'));
  const [role] = rows;
  if (!role) throw new Error('a session without a role');
  const fault = faultOf(role);
  if (fault) throw new ConfigError(`DATABASE_URL: ${fault} Expected ${APP_ROLE} as ${SECTION} makes it.`);
  await refuseOtherGrants(db);
  await refuseOtherSurroundings(db);
  if (!anyShape) await refuseOtherShape(db);
}

function faultOf({ name, is_superuser, powers, member_of, owns, parameters }: Role): string | null {
  if (is_superuser) return `${name} is a superuser, and may do anything.`;
  if (member_of.length > 0) return mayActAs(name, member_of.join(', '));
  if (owns !== null) return `${name} owns ${owns}, and whoever owns a table may do anything to it.`;
  if (powers.length > 0) return `${name} has ${powers.join(', ')}.`;
  if (parameters.length > 0) return `${name} may set ${parameters.join(', ')}.`;
  return name === APP_ROLE ? null : `it logs in as ${name}.`;
}

function mayActAs(name: string, others: string): string {
  const mend = name === APP_ROLE ? ` Run: revoke ${others} from ${name}.` : '';
  return `${name} may act as ${others}.${mend}`;
}

const roleSql = `
select r.rolname::text name, r.rolsuper is_superuser,
  array_remove(array[case when r.rolcreaterole then 'createrole' end, case when r.rolcreatedb then 'createdb' end,
    case when r.rolbypassrls then 'bypassrls' end, case when r.rolreplication then 'replication' end], null) powers,
  array(select m.roleid::regrole::text from pg_auth_members m where m.member = r.oid order by 1) member_of,
  (select owned.what from (
    select 'the database' what, datdba owner from pg_database where datname = current_database()
    union all select 'schema ' || nspname, nspowner from pg_namespace where nspname = 'public'
    union all select 'table ' || relname, relowner from pg_class where relnamespace = 'public'::regnamespace
    union all select 'function ' || proname, proowner from pg_proc where pronamespace = 'public'::regnamespace) owned
   where pg_has_role(r.oid, owned.owner, 'member') order by 1 limit 1) owns,
  array(select parname from pg_parameter_acl where has_parameter_privilege(r.oid, parname, 'set, alter system') order by 1) parameters
from pg_roles r where r.rolname = session_user`;

/** One line: the first difference, and how many more there are. */
async function refuseOtherGrants(db: Queryable): Promise<void> {
  const { absent, missing, surplus } = await differences(db, grants);
  const faults = [
    ...absent.map((what) => `there is no ${what}`),
    ...missing.map((grant) => `lacks ${inWords(grant)}`),
    ...surplus.map((grant) => `has ${inWords(grant)}, which is not in the list of grants`),
  ];
  const first = firstOf(faults);
  if (first === null) return;
  const differs = 'what navbat_app may do differs from the list of this version. Run: npm run migrate.';
  throw new ConfigError(`DATABASE_URL: ${(await versionFault(db)) ?? differs} First difference: ${first}.`);
}

async function refuseOtherShape(db: Queryable): Promise<void> {
  const first = firstOf(await shapeFaults(db));
  if (first === null) return;
  const changed = `the database was changed by hand. As navbat_owner, make it as infra/postgres has it (${SECTION}).`;
  throw new ConfigError(`DATABASE_URL: ${(await versionFault(db)) ?? changed} First difference: ${first}.`);
}

async function refuseOtherSurroundings(db: Queryable): Promise<void> {
  const first = firstOf(await surroundingFaults(db));
  if (first !== null) throw new ConfigError(`DATABASE_URL: ${first}. ${SECTION} says more.`);
}

function firstOf([first, ...others]: readonly string[]): string | null {
  if (first === undefined) return null;
  return others.length > 0 ? `${first} (and ${others.length} more)` : first;
}

/** Postgres: there is no such table; whoever asks may not read it. */
const NO_TABLE = '42P01';
const NOT_PERMITTED = '42501';

/** Which side is behind, where one is: the lists are of one version of the schema. */
async function versionFault(db: Queryable): Promise<string | null> {
  const { rows } = await db
    .query<{ name: string }>('select name from mikro_orm_migrations')
    .catch((error: unknown) => {
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      // A database that was never migrated.
      if (code === NO_TABLE) return { rows: [] };
      // As after a restore without grants: its version is in it, and nobody told us that we may read it.
      if (code === NOT_PERMITTED) return { rows: null };
      throw error;
    });
  if (rows === null) return null;
  const ours = new Set<string>(migrations.map(({ name }) => name));
  const executed = new Set(rows.map(({ name }) => name));
  if (rows.some(({ name }) => !ours.has(name))) return 'the schema is of a newer version. Run that version.';
  if (migrations.some(({ name }) => !executed.has(name)))
    return 'the schema is of an older version. Run: npm run migrate.';
  return null;
}
