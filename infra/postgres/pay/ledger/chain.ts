import type { Pool } from 'pg';
import type { Chain, ChainOfBook } from '../../../../domain/pay/ledger/chain.ts';
import type { DayHead } from '../../../../domain/pay/ledger/head.ts';

/** Two milliseconds a block, so that a statement stays far within its time. */
const BLOCKS_MAX = 50;

/** Blocks and days of all books. What writes is a function of the database's owner. */
export function chain(pool: Pool): Chain {
  return {
    blocksMax: BLOCKS_MAX,
    books: async (today) => (await pool.query<ChainOfBook>(readBooks, [today])).rows,
    close: async (book, all) => {
      const { rows } = await pool.query<{ made: number }>('select ledger_close($1, $2, $3) as made', [
        book,
        BLOCKS_MAX,
        all,
      ]);
      return rows[0]?.made ?? 0;
    },
    endDay: async (book, day) => (await pool.query<DayEnded>(endDay, [book, day])).rows[0] ?? null,
    write: async (book, day, jws) => {
      const { rows } = await pool.query<{ written: boolean }>(
        'select ledger_day_write($1, $2::date, $3) as written',
        [book, day, jws],
      );
      return rows[0]?.written ?? false;
    },
  };
}

type DayEnded = Omit<DayHead, 'book' | 'day'>;

const endDay = `
select k::text, n_to::text, encode(head, 'hex') as head, totals from ledger_day_end($1, $2::date)`;

/** By the head that was closed last, not by counting. */
const readBooks = `
select b.project_id as book, least(b.next_n - 1 - coalesce(h.n_to, 0), 2147483647)::int as open,
  (select t.posted_at from ledger_transfer t where t.project_id = b.project_id and t.n = coalesce(h.n_to, 0) + 1) as "openSince",
  (select x.closed_at from ledger_block x where x.project_id = b.project_id and x.k = h.k) as "closedAt",
  coalesce(
    (select d.day + 1 from ledger_day d where d.project_id = b.project_id order by d.day desc limit 1),
    (select (t.posted_at at time zone 'Asia/Tashkent')::date from ledger_transfer t where t.project_id = b.project_id and t.n = 1),
    $1::date - 1
  )::text as "nextDay"
from ledger_book b left join ledger_head h on h.project_id = b.project_id order by b.project_id`;
