import type pg from 'pg';
import { ConfigError } from '../../process/config.ts';
import { inTransaction, type Queryable } from './transaction.ts';

/** Runs every process (`DATABASE_URL`). It owns nothing, and may do what the lists below say. */
export const APP_ROLE = 'navbat_app';

/** The whole table, or some of its columns. */
type Extent = 'all' | readonly string[];

interface TableGrants {
  readonly select?: Extent;
  readonly insert?: Extent;
  /** A lock (`for update`, `for share`) needs one column of it. */
  readonly update?: Extent;
  readonly delete?: 'all';
}

/** What `navbat_app` may do with the tables and functions of one context: `grants.ts` in its folder. */
export interface Grants {
  /** By table or view. */
  readonly tables: Readonly<Record<string, TableGrants>>;
  /**
   * Functions that it may call, by name, whatever their arguments. A trigger's own function needs no grant, but what that calls does:
   * it runs as the role that sent the statement.
   */
  readonly functions?: readonly string[];
  /**
   * Unique keys without which the same thing would be done twice, by table, as their columns in order: no process starts where one is gone.
   * On these tables no trigger may be but those of the migrations.
   */
  readonly keys?: Readonly<Record<string, readonly string[]>>;
}

type Kind = 'database' | 'schema' | 'table' | 'sequence' | 'function';

/** One privilege that the role or everybody has, or that it should have. */
interface Privilege {
  readonly privilege: string;
  readonly kind: Kind;
  /** A function with the types of its arguments. */
  readonly name: string;
  readonly column: string | null;
  readonly grantee: string;
  readonly grantable: boolean;
}

interface Differences {
  /** What the lists name and the database does not have. */
  readonly absent: readonly string[];
  readonly missing: readonly Privilege[];
  readonly surplus: readonly Privilege[];
}

/** Names that the lists can name: columns by table, functions with their arguments by name. */
interface Named {
  readonly columns: ReadonlyMap<string, readonly string[]>;
  readonly functions: ReadonlyMap<string, readonly string[]>;
}

/** How the database differs from the lists. Any role may ask: the catalogs are open to all. */
export async function differences(db: Queryable, lists: readonly Grants[]): Promise<Differences> {
  const { rows: held } = await db.query<Privilege>(HELD, [APP_ROLE]);
  const { rows } = await db.query<{ database: string }>('select current_database()::text database');
  const named = await namesOf(db);
  const absent: string[] = [];
  const wanted = [
    wants('connect', 'database', rows[0]?.database ?? ''),
    wants('usage', 'schema', 'public'),
    ...lists.flatMap((list) => [
      ...Object.entries(list.tables).flatMap(([table, rights]) => ofTable(table, rights, named, absent)),
      ...(list.functions ?? []).flatMap((name) => ofFunction(name, named, absent)),
    ]),
  ];
  const has = new Set(held.map(inWords));
  const should = new Set(wanted.map(inWords));
  return {
    absent,
    missing: wanted.filter((each) => !has.has(inWords(each))),
    surplus: held.filter((each) => !should.has(inWords(each))),
  };
}

/** Brings the database to the lists, as the owner: only what differs, in one commit, so that running processes do not notice. */
export function applyGrants(pool: pg.Pool, lists: readonly Grants[]): Promise<void> {
  return inTransaction(pool, async (tx) => {
    const before = await differences(tx, lists);
    const { absent } = before;
    if (absent.length > 0) throw new Error(`grants of what no migration makes: ${absent.join(', ')}`);
    for (const sql of statementsFor(before)) await tx.query(sql);
    // Postgres only warns of what this role may not grant or revoke.
    const { missing, surplus } = await differences(tx, lists);
    const [left] = [...surplus, ...missing];
    if (left)
      throw new ConfigError(
        `MIGRATE_DATABASE_URL: this user can't change ${inWords(left)}. Expected the owner of the database, its schema and its tables ` +
          '(docs/operations.md, "Database roles" has the SQL).',
      );
  });
}

const statementsFor = ({ missing, surplus }: Differences): string[] => [
  ...surplus.map((each) => `revoke ${rightOf(each, quoted)} from ${each.grantee} cascade`),
  ...missing.map((each) => `grant ${rightOf(each, quoted)} to ${each.grantee}`),
];

export const inWords = (each: Privilege): string =>
  `${rightOf(each, (name) => name)} to ${each.grantee}${each.grantable ? ' with grant option' : ''}`;

function rightOf({ privilege, kind, name, column }: Privilege, write: (name: string) => string): string {
  const columns = column === null ? '' : ` (${write(column)})`;
  // A function comes from the catalog as it is written.
  return `${privilege}${columns} on ${kind} ${kind === 'function' ? name : write(name)}`;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const wants = (privilege: string, kind: Kind, name: string, column: string | null = null): Privilege => ({
  privilege,
  kind,
  name,
  column,
  grantee: APP_ROLE,
  grantable: false,
});

function ofTable(table: string, rights: TableGrants, { columns }: Named, absent: string[]): Privilege[] {
  const there = columns.get(table);
  if (there === undefined) {
    absent.push(`table ${table}`);
    return [];
  }
  const extents = Object.entries(rights) as [string, Extent][];
  const named = extents.flatMap(([, extent]) => (extent === 'all' ? [] : extent));
  absent.push(
    ...named.filter((column) => !there.includes(column)).map((column) => `column ${table}.${column}`),
  );
  return extents.flatMap(([privilege, extent]) =>
    extent === 'all'
      ? [wants(privilege, 'table', table)]
      : extent
          .filter((column) => there.includes(column))
          .map((column) => wants(privilege, 'table', table, column)),
  );
}

function ofFunction(name: string, { functions }: Named, absent: string[]): Privilege[] {
  const written = functions.get(name) ?? [];
  if (written.length === 0) absent.push(`function ${name}`);
  return written.map((each) => wants('execute', 'function', each));
}

async function namesOf(db: Queryable): Promise<Named> {
  const { rows: tables } = await db.query<{ name: string; columns: string[] }>(TABLES);
  const { rows: functions } = await db.query<{ name: string; written: string[] }>(FUNCTIONS);
  return {
    columns: new Map(tables.map(({ name, columns }) => [name, columns])),
    functions: new Map(functions.map(({ name, written }) => [name, written])),
  };
}

// What an extension brought belongs to the operator, and so do its grants.
const ours = (catalog: string, oid: string) => `not exists (
  select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;

const WRITTEN = `format('%I(%s)', p.proname, oidvectortypes(p.proargtypes))`;

const TABLES = `
select c.relname::text name, array_agg(a.attname::text) columns
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and ${ours('pg_class', 'c.oid')}
group by c.relname`;

const FUNCTIONS = `
select p.proname::text name, array_agg(${WRITTEN}) written
from pg_proc p where p.pronamespace = 'public'::regnamespace and ${ours('pg_proc', 'p.oid')}
group by p.proname`;

/** What the role and everybody may do: where nothing was ever granted, Postgres's defaults hold. */
const HELD = `
select lower(acl.privilege_type) privilege, o.kind, o.name, o."column",
  case acl.grantee when 0 then 'public' else $1 end grantee, acl.is_grantable grantable
from (
  select 'database' kind, datname::text name, null::text "column", coalesce(datacl, acldefault('d', datdba)) acl
  from pg_database where datname = current_database()
  union all
  select 'schema', nspname::text, null, coalesce(nspacl, acldefault('n', nspowner))
  from pg_namespace where nspname <> 'information_schema' and nspname not like 'pg\\_%'
  union all
  select case c.relkind when 'S' then 'sequence' else 'table' end, c.relname::text, null,
    coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's'::"char" else 'r' end, c.relowner))
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S') and ${ours('pg_class', 'c.oid')}
  union all
  select 'table', c.relname::text, a.attname::text, a.attacl
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  where c.relnamespace = 'public'::regnamespace and a.attacl is not null and not a.attisdropped and ${ours('pg_class', 'c.oid')}
  union all
  select 'function', ${WRITTEN}, null, coalesce(p.proacl, acldefault('f', p.proowner))
  from pg_proc p where p.pronamespace = 'public'::regnamespace and ${ours('pg_proc', 'p.oid')}) o,
  aclexplode(o.acl) acl
where acl.grantee in (0, (select oid from pg_roles where rolname = $1))
order by o.kind, o.name, o."column", privilege`;
