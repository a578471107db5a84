import type pg from 'pg';
import type { ChainProof } from '../../../../domain/pay/explain/explain.ts';
import { proveBlock } from './verify-blocks.ts';

interface Held {
  readonly n: string;
  readonly block: string;
  readonly day: string | null;
}

/**
 * The block of each of these transfers, made again from its rows: the hash fits or it does not. That the blocks behind it and the signed
 * days follow from it, `navbat ledger verify` says of the whole book.
 */
export async function proveTransfers(
  db: pg.PoolClient,
  book: string,
  ns: readonly string[],
): Promise<ReadonlyMap<string, ChainProof>> {
  const { rows } = await db.query<Held>(readHeld, [book, ns]);
  const differences = new Map<string, readonly string[]>();
  for (const block of new Set(rows.map((row) => row.block)))
    differences.set(block, await proveBlock(db, book, block));
  return new Map(
    rows.map(({ n, block, day }) => {
      const found = differences.get(block) ?? [];
      return [n, { block, holds: found.length === 0, differences: found, day }];
    }),
  );
}

const readHeld = `
select w.n::text, b.k::text as block,
  (select d.day::text from public.ledger_day d where d.project_id = $1 and d.n_to >= w.n order by d.day limit 1) as day
from unnest($2::bigint[]) w(n)
cross join lateral (
  select x.k from public.ledger_block x where x.project_id = $1 and x.n_to >= w.n order by x.n_to limit 1) b`;
