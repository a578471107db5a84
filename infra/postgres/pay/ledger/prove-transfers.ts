import type pg from 'pg';
import type { ChainProof, SignatureProof } from '../../../../domain/pay/explain/explain.ts';
import type { ReadHead } from '../../../../domain/pay/ledger/head.ts';
import { proveDay } from './prove-day.ts';
import { proveBlock } from './verify-blocks.ts';

interface Held {
  readonly n: string;
  readonly block: string;
  readonly day: string | null;
}

/**
 * The block of each of these transfers, made again from its rows: the hash fits or it does not; and the signature of the day that it is
 * in. That the blocks between the two follow from each other, `navbat ledger verify` says of the whole book.
 */
export async function proveTransfers(
  db: pg.PoolClient,
  book: string,
  ns: readonly string[],
  readHead: ReadHead,
): Promise<ReadonlyMap<string, ChainProof>> {
  const { rows } = await db.query<Held>(readHeld, [book, ns]);
  const differences = new Map<string, readonly string[]>();
  for (const block of new Set(rows.map((row) => row.block)))
    differences.set(block, await proveBlock(db, book, block));
  const signatures = new Map<string, SignatureProof>();
  for (const day of new Set(rows.flatMap((row) => row.day ?? [])))
    signatures.set(day, await proveDay(db, book, day, readHead));
  return new Map(
    rows.map(({ n, block, day }) => {
      const found = differences.get(block) ?? [];
      const signature = day === null ? null : (signatures.get(day) ?? null);
      return [n, { block, holds: found.length === 0, differences: found, day, signature }];
    }),
  );
}

const readHeld = `
select w.n::text, b.k::text as block,
  (select d.day::text from public.ledger_day d where d.project_id = $1 and d.n_to >= w.n order by d.day limit 1) as day
from unnest($2::bigint[]) w(n)
cross join lateral (
  select x.k from public.ledger_block x where x.project_id = $1 and x.n_to >= w.n order by x.n_to limit 1) b`;
