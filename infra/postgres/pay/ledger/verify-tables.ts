import type pg from 'pg';
import type { Differences } from './differences.ts';

const TEXT = 'text';
/** The columns that are read, with their types; of a domain, the type that it is made of. */
const readColumns: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ledger_book: {
    project_id: 'uuid',
    currency: TEXT,
    next_n: 'bigint',
    posted_at: 'timestamp with time zone',
  },
  ledger_account: {
    id: 'bigint',
    project_id: 'uuid',
    class: TEXT,
    owner: 'uuid',
    rail: TEXT,
    balance: 'bigint',
    floor: 'bigint',
    ceiling: 'bigint',
    version: 'bigint',
  },
  ledger_transfer: {
    project_id: 'uuid',
    n: 'bigint',
    key: TEXT,
    kind: TEXT,
    debit: 'bigint',
    credit: 'bigint',
    amount: 'bigint',
    debit_after: 'bigint',
    credit_after: 'bigint',
    subject_id: 'uuid',
    event_at: 'timestamp with time zone',
    posted_at: 'timestamp with time zone',
    actor: TEXT,
  },
  ledger_refusal: { project_id: 'uuid', key: TEXT },
  ledger_head: { project_id: 'uuid', k: 'bigint', n_to: 'bigint', hash: 'bytea' },
  ledger_block: {
    project_id: 'uuid',
    k: 'bigint',
    n_to: 'bigint',
    leaves: 'bytea',
    hash: 'bytea',
    closed_at: 'timestamp with time zone',
  },
  ledger_day: {
    project_id: 'uuid',
    day: 'date',
    k: 'bigint',
    n_to: 'bigint',
    totals: 'jsonb',
    head: 'bytea',
    jws: TEXT,
    chat_sent_at: 'timestamp with time zone',
    witness_sent_at: 'timestamp with time zone',
  },
};

interface Found {
  readonly table: string;
  readonly plain: boolean;
  readonly columns: Readonly<Record<string, string>>;
}

/**
 * Whether what is read is stored as the migrations made it. A view, a rule, a policy of rows, a table that inherits, or a column of
 * another type would show one thing here and another to who pays.
 *
 * @returns false where it is not: then nothing that is read from there means anything.
 */
export async function verifyTables(db: pg.PoolClient, found: Differences): Promise<boolean> {
  // Held to the end, so that nothing is altered between this look and the reading.
  await db.query(lockTables);
  const names = Object.keys(readColumns);
  const { rows } = await db.query<Found>(readTables, [names]);
  const faults = names.flatMap((name) =>
    faultsOf(
      name,
      rows.find(({ table }) => table === name),
    ),
  );
  for (const fault of faults) found.add(fault);
  return faults.length === 0;
}

function faultsOf(name: string, is: Found | undefined): string[] {
  if (!is) return [`There is no table ${name}.`];
  if (!is.plain)
    return [
      `${name} is no plain table: it is a view, has rules or row security, or belongs to an inheritance. Nothing was verified.`,
    ];
  return Object.entries(readColumns[name] ?? {})
    .filter(([column, type]) => is.columns[column] !== type)
    .map(
      ([column, type]) =>
        `${name}.${column} is ${is.columns[column] ?? 'not there'}, and no stored ${type}. Nothing was verified.`,
    );
}

const lockTables = `
lock table public.ledger_book, public.ledger_account, public.ledger_transfer, public.ledger_refusal, public.ledger_head, public.ledger_block, public.ledger_day
in access share mode`;

const readTables = `
select c.relname::text as "table",
  c.relkind = 'r' and c.relpersistence = 'p' and not (c.relrowsecurity or c.relforcerowsecurity or c.relispartition)
    and not exists (select from pg_catalog.pg_rewrite r where r.ev_class = c.oid)
    and not exists (select from pg_catalog.pg_inherits i where c.oid in (i.inhrelid, i.inhparent)) as plain,
  (select jsonb_object_agg(a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null) || case a.attgenerated when '' then '' else ', computed' end)
    from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
from pg_catalog.pg_class c
where c.relnamespace = 'public'::regnamespace and c.relname = any ($1::text[])`;
