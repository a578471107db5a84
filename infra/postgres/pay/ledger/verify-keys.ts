import type pg from 'pg';
import type { Differences } from './differences.ts';

interface Twice {
  readonly key: string;
  readonly ns: string;
}

/**
 * Each key was posted once, and none that was refused for funds. The unique keys of the tables say so too; they are the owner's, and a new
 * version of the operating system may order texts anew and leave their indexes wrong. So no index is asked: each text is compared by its bytes.
 */
export async function verifyKeys(
  db: pg.PoolClient,
  { book, found }: { readonly book: string; readonly found: Differences },
): Promise<void> {
  const twice = await db.query<Twice>(readTwice, [book]);
  for (const { key, ns } of twice.rows) found.add(`Transfers ${ns} have one key, ${key}.`);
  const refused = await db.query<Twice>(readRefused, [book]);
  for (const { key, ns } of refused.rows) found.add(`Transfer ${ns}: its key ${key} was refused for ever.`);
}

const readTwice = `
select key, min(n) || ' and ' || max(n) as ns
from (select n, key::text collate "C" as key from public.ledger_transfer where project_id = $1) t
group by key having count(*) > 1 order by min(n) limit 20`;

const readRefused = `
select t.key, t.n::text as ns
from (select n, key::text collate "C" as key from public.ledger_transfer where project_id = $1) t
join (select key::text collate "C" as key from public.ledger_refusal where project_id = $1) r on r.key = t.key
order by t.n limit 20`;
