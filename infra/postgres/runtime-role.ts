import { ConfigError } from '../process/config.ts';
import { APP_ROLE, differences, inWords } from './engine/grants.ts';
import { refuseLogin } from './engine/login-fault.ts';
import type { Queryable } from './engine/transaction.ts';
import { grants } from './grants.ts';
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
 * tables, and a process that has too few grants fails at its first statement.
 *
 * @throws ConfigError saying what differs and what to do.
 */
export async function refuseOtherRole(db: Queryable): Promise<void> {
  const { rows } = await db.query<Role>(roleSql).catch(refuseLogin('DATABASE_URL'));
  const [role] = rows;
  if (!role) throw new Error('a session without a role');
  const fault = faultOf(role);
  if (fault) throw new ConfigError(`DATABASE_URL: ${fault} Expected ${APP_ROLE} as ${SECTION} makes it.`);
  await refuseOtherGrants(db);
  await refuseOtherSurroundings(db);
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
  throw new ConfigError(`DATABASE_URL: ${await adviceOf(db)} First difference: ${first}.`);
}

async function refuseOtherSurroundings(db: Queryable): Promise<void> {
  const first = firstOf(await surroundingFaults(db));
  if (first !== null) throw new ConfigError(`DATABASE_URL: ${first}. ${SECTION} says more.`);
}

function firstOf([first, ...others]: readonly string[]): string | null {
  if (first === undefined) return null;
  return others.length > 0 ? `${first} (and ${others.length} more)` : first;
}

/** Which side is behind: the list is of one version of the schema. */
async function adviceOf(db: Queryable): Promise<string> {
  // A database that was never migrated has no such table.
  const { rows } = await db
    .query<{ name: string }>('select name from mikro_orm_migrations')
    .catch(() => ({ rows: [] as { name: string }[] }));
  const ours = new Set<string>(migrations.map(({ name }) => name));
  const executed = new Set(rows.map(({ name }) => name));
  if (rows.some(({ name }) => !ours.has(name))) return 'the schema is of a newer version. Run that version.';
  if (migrations.some(({ name }) => !executed.has(name)))
    return 'the schema is of an older version. Run: npm run migrate.';
  return 'what navbat_app may do differs from the list of this version. Run: npm run migrate.';
}
