import type pg from 'pg';
import { classLimits } from '../../../../domain/pay/ledger/class-limits.ts';
import { accountClasses } from '../../../../domain/pay/ledger/accounts.ts';
import type { Differences } from './differences.ts';

interface Limited {
  readonly account: string;
  readonly class: string;
  readonly is: string;
  readonly should: string | null;
}

interface Owned {
  readonly account: string;
  readonly class: string;
  readonly owner: string | null;
  readonly rail: string | null;
}

interface Book {
  readonly book: string;
  readonly found: Differences;
}

/** Each account has the floor and the ceiling of its class, is of an owner or a rail as its class says, and is the only one of them. */
export async function verifyLimits(db: pg.PoolClient, { book, found }: Book): Promise<void> {
  const classes = Object.entries(classLimits);
  const { rows } = await db.query<Limited>(readLimits, [
    book,
    classes.map(([name]) => name),
    classes.map(([, { floor }]) => floor?.toString() ?? null),
    classes.map(([, { ceiling }]) => ceiling?.toString() ?? null),
  ]);
  for (const { account, class: name, is, should } of rows)
    found.add(
      should === null
        ? `Account ${account}: there is no class ${name}.`
        : `Account ${account}: it has ${is}; its class ${name} has ${should}.`,
    );
  await verifyOwners(db, { book, found });
}

async function verifyOwners(db: pg.PoolClient, { book, found }: Book): Promise<void> {
  const owned: readonly string[] = [...accountClasses.person, ...accountClasses.project];
  const unfit = await db.query<Owned>(readUnfit, [
    book,
    owned,
    accountClasses.rail,
    Object.keys(classLimits),
  ]);
  for (const { account, class: name, owner, rail } of unfit.rows)
    found.add(
      `Account ${account}: its class ${name} has no account of owner ${owner ?? 'none'} and rail ${rail ?? 'none'}.`,
    );
  const twice = await db.query<Owned>(readTwice, [book]);
  for (const { account, class: name, owner, rail } of twice.rows)
    found.add(
      `Accounts ${account}: each is ${name} of owner ${owner ?? 'none'} and rail ${rail ?? 'none'}, of which there is one.`,
    );
}

const limits = (of: string) =>
  `'floor ' || coalesce(${of}.floor::text, 'none') || ', ceiling ' || coalesce(${of}.ceiling::text, 'none')`;

const readLimits = `
select a.id::text as account, a.class::text as class, ${limits('a')} as is, case when l.class is not null then ${limits('l')} end as should
from public.ledger_account a
left join unnest($2::text[], $3::bigint[], $4::bigint[]) as l(class, floor, ceiling) on l.class = a.class::text collate "C"
where a.project_id = $1 and (l.class is null or a.floor is distinct from l.floor or a.ceiling is distinct from l.ceiling)
order by a.id limit 20`;

const readUnfit = `
select id::text as account, class::text as class, owner::text as owner, rail::text as rail from public.ledger_account
where project_id = $1 and class::text collate "C" = any ($4::text[]) and ((owner is not null) <> (class::text collate "C" = any ($2::text[]))
  or (rail is not null) <> (class::text collate "C" = any ($3::text[])))
order by id limit 20`;

const readTwice = `
select string_agg(id::text, ', ' order by id) as account, class, owner::text as owner, rail
from (select id, class::text collate "C" as class, owner, rail::text collate "C" as rail from public.ledger_account where project_id = $1) a
group by class, owner, rail having count(*) > 1 order by min(id) limit 20`;
