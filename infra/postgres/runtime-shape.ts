import type { Queryable } from './engine/transaction.ts';
import { grants } from './grants.ts';
import { migrations } from './schema.ts';

/** Owns the database and all that is in it, and migrates (`MIGRATE_DATABASE_URL`). */
const OWNER_ROLE = 'navbat_owner';

/**
 * Whether the triggers, functions and unique keys are those that the migrations made: they are what keeps money, the audit and proofs where
 * no grant does. Nobody keeps a list of the first two: it is read out of the migrations' own SQL, the last definition of each name.
 *
 * @returns faults, each with what differs; of the catalogs alone.
 */
export async function shapeFaults(db: Queryable): Promise<string[]> {
  const { functions, triggers } = written();
  return [
    ...(await strangeFaults(db)),
    ...(await triggerFaults(db, triggers)),
    ...(await functionFaults(db, functions)),
    ...(await keyFaults(db)),
  ];
}

interface WrittenFunction {
  readonly name: string;
  readonly body: string;
  readonly definer: boolean;
  readonly fixesPath: boolean;
}

interface WrittenTrigger {
  readonly name: string;
  readonly table: string;
  readonly calls: string;
  /** `pg_trigger.tgtype` */
  readonly type: number;
  /** How many columns an update has to name. */
  readonly columns: number;
  readonly asks: boolean;
}

/** `navbat_now()` is replaced where the clock of a sandbox is moved, and is read by whoever starts: `clock.ts`. */
const MOVED = 'navbat_now';
const FIXED_PATH = /set search_path = pg_catalog, (?:public, )?pg_temp/;

const FUNCTION =
  /\bcreate (?:or replace )?function (\w+)\s*\(((?:(?!\bas \$\$)[\s\S])*)\bas \$\$([\s\S]*?)\$\$/gi;
/** In a statement of its own, before what takes its place. */
const DROPPED = /\bdrop function (\w+)\s*\(/gi;
const TRIGGER =
  /\bcreate (?:constraint )?trigger (\w+)\s+(before|after)\s+([\s\S]*?)\s+on (\w+)\s((?:(?!\bexecute function\b)[\s\S])*)\bexecute function (\w+)\(/gi;

/** What the migrations make, by name; of what they replace, the last. */
export function written(): { readonly functions: WrittenFunction[]; readonly triggers: WrittenTrigger[] } {
  const functions = new Map<string, WrittenFunction>();
  const triggers = new Map<string, WrittenTrigger>();
  for (const sql of migrations.flatMap(sqlOf)) {
    for (const [, name = ''] of sql.matchAll(DROPPED)) functions.delete(name);
    for (const [, name = '', head = '', body = ''] of sql.matchAll(FUNCTION))
      functions.set(name, {
        name,
        body,
        definer: /\bsecurity definer\b/i.test(head),
        fixesPath: FIXED_PATH.test(head),
      });
    for (const [, name = '', when = '', events = '', table = '', tail = '', calls = ''] of sql.matchAll(
      TRIGGER,
    ))
      triggers.set(`${table}.${name}`, {
        name,
        table,
        calls,
        type: typeOf(when, events, tail),
        columns: columnsOf(events),
        asks: /\bwhen\s*\(/i.test(tail),
      });
  }
  functions.delete(MOVED);
  return { functions: [...functions.values()], triggers: [...triggers.values()] };
}

function sqlOf(Migration: (typeof migrations)[number]): string[] {
  const migration = new Migration(undefined as never, undefined as never);
  migration.up();
  return migration.getQueries().map(String);
}

const EVENTS = { insert: 4, delete: 8, update: 16, truncate: 32 };

function typeOf(when: string, events: string, tail: string): number {
  const named = events.split(/\s+or\s+/i).map((event) => event.split(/\s/, 1)[0]?.toLowerCase());
  const bits = Object.entries(EVENTS)
    .filter(([event]) => named.includes(event))
    .map(([, bit]) => bit);
  const each = /\bfor each row\b/i.test(tail) ? 1 : 0;
  return bits.reduce((sum, bit) => sum + bit, each + (when.toLowerCase() === 'before' ? 2 : 0));
}

const columnsOf = (events: string): number =>
  /\bupdate of ([\s\S]*)$/i.exec(events)?.[1]?.split(',').length ?? 0;

/** What no migration makes, and what would change what a statement does. */
async function strangeFaults(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ fault: string }>(strange, [OWNER_ROLE]);
  return rows.map(({ fault }) => fault);
}

async function triggerFaults(db: Queryable, triggers: readonly WrittenTrigger[]): Promise<string[]> {
  const { rows } = await db.query<WrittenTrigger>(readTriggers);
  const is = new Map(rows.map((row) => [`${row.table}.${row.name}`, wordsOf(row)]));
  const ours = new Set(triggers.map(({ table, name }) => `${table}.${name}`));
  const kept = new Set(grants.flatMap(({ keys }) => Object.keys(keys ?? {})));
  return [
    ...triggers
      .filter((trigger) => is.get(`${trigger.table}.${trigger.name}`) !== wordsOf(trigger))
      .map(({ name, table }) => `the trigger ${name} on ${table} is not as the migrations made it`),
    ...rows
      .filter(({ name, table }) => kept.has(table) && !ours.has(`${table}.${name}`))
      .map(({ name, table }) => `the trigger ${name} on ${table} was made by no migration`),
  ];
}

const wordsOf = ({ calls, type, columns, asks }: WrittenTrigger): string =>
  `${calls} ${type} ${columns} ${asks}`;

async function functionFaults(db: Queryable, functions: readonly WrittenFunction[]): Promise<string[]> {
  const { rows } = await db.query<WrittenFunction>(readFunctions);
  return functions
    .filter(({ name, body, definer, fixesPath }) => {
      const found = rows.filter((row) => row.name === name);
      const [one] = found;
      // A second one of that name would be called where its arguments fit better.
      return (
        found.length !== 1 || one?.body !== body || one.definer !== definer || one.fixesPath !== fixesPath
      );
    })
    .map(({ name }) => `the function ${name} is not as the migrations made it`);
}

async function keyFaults(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ table: string; columns: string }>(readKeys);
  const is = new Set(rows.map(({ table, columns }) => `${table} (${columns})`));
  return grants
    .flatMap(({ keys }) => Object.entries(keys ?? {}))
    .flatMap(([table, of]) => of.map((columns) => `${table} (${columns})`))
    .filter((key) => !is.has(key))
    .map((key) => `the unique key ${key} is gone`);
}

const notOfExtension = (catalog: string, oid: string) => `not exists (
  select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;

const strange = `
select fault from (
  select 1 place, format('%s belongs to %s, and not to %s', what, owner::regrole, $1::text) fault from (
    select 'the table ' || relname what, relowner owner from pg_class c
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S') and ${notOfExtension('pg_class', 'c.oid')}
    union all
    select 'the function ' || proname, proowner from pg_proc p
    where pronamespace = 'public'::regnamespace and ${notOfExtension('pg_proc', 'p.oid')}) o
  where owner <> coalesce(to_regrole($1), 0)
  union all
  select 2, format('the table %s has row level security, which hides rows', relname) from pg_class
  where relnamespace = 'public'::regnamespace and (relrowsecurity or relforcerowsecurity)
  union all
  select 3, format('the table %s is not logged: a crash empties it', relname) from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relpersistence = 'u'
  union all
  select 4, format('the rule %s on %s changes what statements do', r.rulename, c.relname)
  from pg_rewrite r join pg_class c on c.oid = r.ev_class where c.relnamespace = 'public'::regnamespace and r.rulename <> '_RETURN'
  union all
  select 5, format('the event trigger %s runs code at each login', evtname) from pg_event_trigger where evtevent = 'login' and evtenabled <> 'D') f
order by place, fault`;

const readTriggers = `
select t.tgname::text name, c.relname::text "table", p.proname::text calls, t.tgtype::int type, cardinality(t.tgattr::int2[]) columns,
  t.tgqual is not null asks
from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
where not t.tgisinternal and c.relnamespace = 'public'::regnamespace and p.pronamespace = 'public'::regnamespace
order by 2, 1`;

const readFunctions = `
select p.proname::text name, p.prosrc body, p.prosecdef definer,
  coalesce(p.proconfig && array['search_path=pg_catalog, public, pg_temp', 'search_path=pg_catalog, pg_temp'], false) "fixesPath"
from pg_proc p where p.pronamespace = 'public'::regnamespace`;

/** Valid ones, of columns alone; where not every row counts, with the condition. */
export const readKeys = `
select c.relname::text "table",
  string_agg(a.attname::text, ', ' order by k.place) || coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), '') columns
from pg_index i join pg_class c on c.oid = i.indrelid
cross join unnest(i.indkey::int2[]) with ordinality k(attnum, place)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where c.relnamespace = 'public'::regnamespace and i.indisunique and i.indisvalid and i.indisready and i.indexprs is null
group by c.relname, i.indexrelid, i.indpred, i.indrelid`;
