import { APP_ROLE } from './engine/grants.ts';
import type { Queryable } from './engine/transaction.ts';

/**
 * What makes `navbat_app`'s sessions safe besides the list of grants: no setting that was put on the role or the database, no right and no
 * property beyond schema public, no trigger that was switched off.
 *
 * @returns faults, each with what to run; of the catalogs alone, and in one read of them.
 */
export async function surroundingFaults(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ fault: string }>(surroundings, [APP_ROLE, UNSAFE_SETTINGS]);
  return [...rows.map(({ fault }) => fault), ...(await settingFaults(db))];
}

/**
 * What a session must have, wherever it comes from: the server's configuration and its command line too. Other values would switch off
 * triggers and foreign keys, lose what was committed, change what a statement means, or what is read of an answer: with dates in another
 * form each time comes as null.
 */
const NEEDED_SETTINGS: Readonly<Record<string, readonly string[]>> = {
  array_nulls: ['on'],
  backslash_quote: ['safe_encoding', 'off'],
  bytea_output: ['hex'],
  client_encoding: ['UTF8'],
  // The order of day and month counts for dates that are ambiguous, and ours are not.
  DateStyle: ['ISO, MDY', 'ISO, DMY', 'ISO, YMD'],
  default_transaction_deferrable: ['off'],
  default_transaction_isolation: ['read committed'],
  default_transaction_read_only: ['off'],
  extra_float_digits: ['1', '2', '3'],
  ignore_checksum_failure: ['off'],
  IntervalStyle: ['postgres'],
  lo_compat_privileges: ['off'],
  // Unset until the language is loaded.
  'plpgsql.variable_conflict': ['error', ''],
  role: ['none'],
  row_security: ['on'],
  search_path: ['"$user", public', 'public'],
  session_replication_role: ['origin'],
  standard_conforming_strings: ['on'],
  synchronous_commit: ['on'],
  transform_null_equals: ['off'],
  zero_damaged_pages: ['off'],
};

async function settingFaults(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ name: string; is: string; source: string }>(sessionSettings, [
    Object.keys(NEEDED_SETTINGS),
  ]);
  return rows
    .filter(({ name, is }) => NEEDED_SETTINGS[name]?.includes(is) === false)
    .map(
      ({ name, is, source }) =>
        `${name} is ${is} in its sessions (${source}) and has to be ${NEEDED_SETTINGS[name]?.[0]}. ` +
        `Where it was set for the whole server, run as a superuser: alter system reset ${name}; select pg_reload_conf()`,
    );
}

const sessionSettings = `
select n.name, current_setting(n.name, true) is, coalesce(s.source, 'unknown source') source
from unnest($1::text[]) n(name) left join pg_settings s on s.name = n.name
where current_setting(n.name, true) is not null order by n.name`;

/**
 * Put on the database, or on all roles, these would switch off triggers and foreign keys, lose what was committed, change what a statement
 * reads or means, or run code at each login. Others, such as time-outs, are the operator's; on the role itself none is, since it may set
 * what it likes there. `fsync` can't be put on either.
 */
const UNSAFE_SETTINGS = [
  'backslash_quote',
  'default_transaction_deferrable',
  'default_transaction_isolation',
  'default_transaction_read_only',
  'ignore_checksum_failure',
  'lo_compat_privileges',
  'local_preload_libraries',
  'plpgsql.variable_conflict',
  'role',
  'row_security',
  'search_path',
  'session_authorization',
  'session_preload_libraries',
  'session_replication_role',
  'standard_conforming_strings',
  'synchronous_commit',
  'transform_null_equals',
  'zero_damaged_pages',
];

/**
 * Postgres keeps for each role what it owns and what was granted to it (`pg_shdepend`), large objects, parameters and default privileges
 * too. Left out is what the list of grants is compared with, and other databases, where nothing of Navbat is. What everybody may do
 * with Postgres's own catalogs is compared with what Postgres came with (`pg_init_privs`).
 */
const surroundings = `
with app as (select oid from pg_roles where rolname = $1),
here as (select oid, datname from pg_database where datname = current_database()),
settings as (
  select s.setdatabase, s.setrole, split_part(unnest(s.setconfig), '=', 1) setting
  from pg_db_role_setting s where s.setrole in (0, (select oid from app)) and s.setdatabase in (0, (select oid from here))),
held as (
  select d.deptype, d.classid, d.objid, d.objsubid from pg_shdepend d
  where d.refclassid = 'pg_authid'::regclass and d.refobjid = (select oid from app) and d.dbid in (0, (select oid from here))
    and (d.deptype = 'o' or d.deptype = 'a' and d.classid <> 'pg_database'::regclass and not exists (
      select from pg_class c where d.classid = 'pg_class'::regclass and c.oid = d.objid
        and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
      union all
      select from pg_proc p where d.classid = 'pg_proc'::regclass and p.oid = d.objid and p.pronamespace = 'public'::regnamespace
      union all
      select from pg_namespace n where d.classid = 'pg_namespace'::regclass and n.oid = d.objid
        and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'))),
opened as (
  select o.catalog, o.oid, o.sub from (
    select 'pg_class'::regclass catalog, c.oid, 0 sub, c.relacl acl, true is_closed
    from pg_class c where c.relnamespace = 'pg_catalog'::regnamespace
    union all
    select 'pg_class'::regclass, a.attrelid, a.attnum, a.attacl, true from pg_attribute a join pg_class c on c.oid = a.attrelid
    where a.attacl is not null and c.relnamespace = 'pg_catalog'::regnamespace
    union all
    -- Everybody may call a function unless that was taken from them.
    select 'pg_proc'::regclass, p.oid, 0, p.proacl, exists (
      select from pg_init_privs i where i.classoid = 'pg_proc'::regclass and i.objoid = p.oid)
    from pg_proc p where p.proacl is not null and p.pronamespace = 'pg_catalog'::regnamespace
    union all select 'pg_foreign_data_wrapper'::regclass, oid, 0, fdwacl, true from pg_foreign_data_wrapper
    union all select 'pg_foreign_server'::regclass, oid, 0, srvacl, true from pg_foreign_server
    union all select 'pg_tablespace'::regclass, oid, 0, spcacl, true from pg_tablespace
    union all select 'pg_largeobject'::regclass, oid, 0, lomacl, true from pg_largeobject_metadata where lomacl is not null
  ) o cross join aclexplode(o.acl) acl
  where acl.grantee = 0 and o.is_closed and not exists (
    select from pg_init_privs i cross join aclexplode(i.initprivs) came
    where i.classoid = o.catalog and i.objoid = o.oid and i.objsubid = o.sub
      and came.grantee = 0 and came.privilege_type = acl.privilege_type))
select fault from (
  select 1 as rank, format('%s is set on %s. Run: alter %2$s reset %1$s', setting, whose) fault
  from (select setting, setrole = (select oid from app) is_role, case
      when setrole = 0 and setdatabase = 0 then 'role all'
      when setrole = 0 then format('database %I', (select datname from here))
      when setdatabase = 0 then format('role %I', $1)
      else format('role %I in database %I', $1, (select datname from here)) end whose
    from settings) s
  where is_role or lower(setting) = any ($2::text[])
  union all
  select 2, format('%s owns %s. As a superuser, give it to navbat_owner, or drop it', $1, pg_describe_object(classid, objid, objsubid))
  from held where deptype = 'o'
  union all
  select 3, format('%s has a right on %s, which no list of grants has. As a superuser, revoke it', $1,
    pg_describe_object(classid, objid, objsubid))
  from held where deptype = 'a'
  union all
  select 4, format('everybody has a right on %s that Postgres does not give. As a superuser, revoke it from public',
    pg_describe_object(catalog, oid, sub))
  from opened
  union all
  select 5, format('a trigger of %s is off. As a superuser, run: alter table %1$I enable trigger %I', c.relname, t.tgname)
  from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = 'public'::regnamespace and t.tgenabled not in ('O', 'A')
  union all
  -- Texts may be ordered otherwise than their indexes are: a unique key then lets the same text in twice.
  select 6, format('the collation of the database is %s, and its indexes were built with %s. As the owner, run: reindex database %I; alter database %3$I refresh collation version',
    coalesce(pg_database_collation_actual_version(oid), 'of no version'), datcollversion, datname)
  from pg_database where oid = (select oid from here) and datcollversion <> coalesce(pg_database_collation_actual_version(oid), '')) faults
order by rank, fault`;
