import type pg from 'pg';
import type { SignatureProof } from '../../../../domain/pay/explain/explain.ts';
import type { ReadHead } from '../../../../domain/pay/ledger/head.ts';
import { type Day, dayColumns, headOf, sameHead } from './verify-days.ts';

/** Whether a signed day is what was signed, by a key that is known, and ends with the block that is there. */
export async function proveDay(
  db: pg.PoolClient,
  book: string,
  day: string,
  readHead: ReadHead,
): Promise<SignatureProof> {
  const { rows } = await db.query<Day & { ends: boolean }>(readDay, [book, day]);
  const [row] = rows;
  if (!row) return 'does-not-hold';
  const said = await readHead(row.jws);
  if (said.kind === 'unknown-key') return 'unknown-key';
  return said.kind === 'valid' && sameHead(said.head, headOf(book, row)) && row.ends
    ? 'holds'
    : 'does-not-hold';
}

const readDay = `
select ${dayColumns}, true as "sentLater",
  exists (select from public.ledger_block b where b.project_id = d.project_id and b.k = d.k and b.hash = d.head and b.n_to = d.n_to) as ends
from public.ledger_day d where d.project_id = $1 and d.day = $2::date`;
