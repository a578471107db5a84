import type { Pool } from 'pg';
import type { InFlight } from '../../../../domain/pay/reconcile/equation.ts';
import type { Books, EquationReads } from '../../../../domain/pay/reconcile/port.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';

/** 1 tiyin in the ledger's unit. */
const MICROS = 10_000n;

/** What the equation is made of: each read is one statement, so that all of it is of one moment. */
export function equationReads(pool: Pool, book: ProjectId): EquationReads {
  return {
    books: async () => {
      const { rows } = await pool.query<BooksRow>(readBooks, [book]);
      const [row] = rows;
      if (!row) throw new Error('the books answered nothing');
      return booksOf(row);
    },
    movedSince: async (rail, since) => {
      const { rows } = await pool.query<FlightRow>(readMoved, [book, rail, since]);
      return rows.map(flightOf);
    },
  };
}

interface FlightRow {
  readonly dispatch: string;
  readonly total: string;
}
interface RailRow {
  readonly rail: string;
  readonly opened: boolean;
  readonly wallet: string;
  readonly clearing: string;
  readonly unmatched: string;
  readonly unposted: string;
  readonly in_flight: readonly FlightRow[];
}
interface BooksRow {
  readonly at: Date;
  readonly held: string;
  readonly open: string;
  readonly rails: readonly RailRow[];
}

const flightOf = ({ dispatch, total }: FlightRow): InFlight => ({ dispatch, total: BigInt(total) });

const booksOf = ({ at, held, open, rails }: BooksRow): Books => ({
  at,
  held: { held: tiyin(held), open: BigInt(open) },
  rails: rails.map((row) => ({
    rail: row.rail,
    isOpened: row.opened,
    wallet: tiyin(row.wallet),
    clearing: tiyin(row.clearing),
    unmatched: BigInt(row.unmatched),
    unposted: BigInt(row.unposted),
    inFlight: row.in_flight.map(flightOf),
  })),
});

/**
 * Payouts, rails and lines are of whole tiyin.
 *
 * @throws where the ledger has a part of one: whatever posted it, no rail pays it.
 */
function tiyin(micros: string): bigint {
  const amount = BigInt(micros);
  if (amount % MICROS !== 0n)
    throw new Error(`an account of a rail has ${micros} micros, which are no whole tiyin`);
  return amount / MICROS;
}

/** Between a claim and a known end: the rail may have paid it. */
const FLIGHT = `d.state in ('drafting', 'drafted', 'confirming', 'unknown', 'asking', 'stuck')`;

const readBooks = `
select navbat_now() as at,
  (select coalesce(sum(a.balance), 0)::text from ledger_account a where a.project_id = $1 and a.class in ('held', 'funded-held')) as held,
  (select coalesce(sum(p.gross), 0)::text from payout p
    where p.project_id = $1 and p.state in ('confirming', 'awaiting-card', 'pending', 'batched')) as open,
  (select coalesce(jsonb_agg(jsonb_build_object(
      'rail', r.id,
      'opened', exists (
        select from ledger_account a join ledger_transfer t on t.debit = a.id
        where a.project_id = $1 and a.class = 'wallet' and a.rail = r.id and t.kind = 'top-up'),
      'wallet', (select coalesce(sum(a.balance), 0)::text from ledger_account a where a.project_id = $1 and a.class = 'wallet' and a.rail = r.id),
      'clearing', (select coalesce(sum(a.balance), 0)::text from ledger_account a where a.project_id = $1 and a.class = 'clearing' and a.rail = r.id),
      'unmatched', (
        select coalesce(sum(
            case when o.out_line is null then i.net + case d.items when 1 then d.commission else 0 end else 0 end
            - case when i.state = 'returned' and o.back_line is null then i.net else 0 end), 0)::text
        from payout_dispatch d join payout_item i on i.dispatch_id = d.id
        cross join lateral (
          select max(l.key) filter (where l.direction = 'out') as out_line, max(l.key) filter (where l.direction = 'back') as back_line
          from statement_line l
          where l.dispatch_id = d.id and l.payout_id = i.payout_id and l.bucket in ('matched', 'late', 'returned')) o
        where d.project_id = $1 and d.rail = r.id and i.state in ('paid', 'returned')),
      'unposted', (
        select coalesce(sum(
            case l.direction when 'out' then 1 else -1 end * (l.amount + l.commission)
            -- What clearing has of this payment did not leave as it says.
            - case when l.bucket = 'amount-differs' and l.direction = 'out' and not exists (
                select from statement_line m where m.dispatch_id = l.dispatch_id and m.payout_id = l.payout_id and m.direction = 'out' and m.bucket in ('matched', 'late'))
                then coalesce((select i.net + case d.items when 1 then d.commission else 0 end from payout_item i join payout_dispatch d on d.id = i.dispatch_id
                      where i.dispatch_id = l.dispatch_id and i.payout_id = l.payout_id and i.state in ('paid', 'returned')), 0)
                else 0 end), 0)::text
        from statement_line l where l.project_id = $1 and l.rail = r.id and not l.posted and l.bucket <> 'early'),
      'in_flight', (
        select coalesce(jsonb_agg(jsonb_build_object('dispatch', d.id, 'total', (d.amount + d.commission)::text) order by d.id), '[]')
        from payout_dispatch d where d.project_id = $1 and d.rail = r.id and ${FLIGHT})) order by r.id), '[]')
    from rail r where r.id <> 'all') as rails`;

const readMoved = `
select d.id as dispatch, (d.amount + d.commission)::text as total
from payout_dispatch d
where d.project_id = $1 and d.rail = $2 and (${FLIGHT} or d.state in ('paid', 'returned') and d.state_at >= $3)
order by d.id`;
