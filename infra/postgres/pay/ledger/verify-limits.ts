import type pg from 'pg';
import { classLimits } from '../../../../domain/pay/ledger/class-limits.ts';
import type { Differences } from './differences.ts';

interface Limited {
  readonly account: string;
  readonly class: string;
  readonly is: string;
  readonly should: string | null;
}

/** Each account has the floor and the ceiling of its class: one that was opened with others may go where none of its class may. */
export async function verifyLimits(
  db: pg.PoolClient,
  { book, found }: { readonly book: string; readonly found: Differences },
): Promise<void> {
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
}

const limits = (of: string) =>
  `'floor ' || coalesce(${of}.floor::text, 'none') || ', ceiling ' || coalesce(${of}.ceiling::text, 'none')`;

const readLimits = `
select a.id::text as account, a.class::text as class, ${limits('a')} as is, case when l.class is not null then ${limits('l')} end as should
from public.ledger_account a
left join unnest($2::text[], $3::bigint[], $4::bigint[]) as l(class, floor, ceiling) on l.class = a.class::text collate "C"
where a.project_id = $1 and (l.class is null or a.floor is distinct from l.floor or a.ceiling is distinct from l.ceiling)
order by a.id limit 20`;
