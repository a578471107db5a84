import type pg from 'pg';
import type { ItemState } from '../../../../domain/pay/batch/batch.ts';
import { BatchId, PayoutId, type RailId } from '../../../../domain/pay/ids.ts';
import type { PayoutSource, PayoutState } from '../../../../domain/pay/payout/payout.ts';
import type { PayoutReads, PayoutTransfer, PayoutView } from '../../../../domain/pay/finance/payouts.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';

/** What finance reads of payouts, whoever asked for them. */
export function payoutReads(pool: pg.Pool, book: ProjectId): PayoutReads {
  return {
    payouts: async (filter, { limit, after }) => {
      const { rows } = await pool.query<PayoutRow>(list, [
        book,
        filter.state ?? null,
        filter.source ?? null,
        filter.rail ?? null,
        filter.list_id ?? null,
        filter.funder ?? null,
        filter.person_id ?? null,
        filter.phone ?? null,
        filter.asked_by ?? null,
        filter.from ?? null,
        filter.to ?? null,
        after,
        limit + 1,
      ]);
      return pageOf(rows.map(payoutOf), limit);
    },
    payout: async (id) => {
      const { rows } = await pool.query<PayoutRow>(find, [book, id]);
      return rows[0] ? payoutOf(rows[0]) : null;
    },
    transfers: async (id) => {
      const { rows } = await pool.query<TransferRow>(readTransfers, [book, id]);
      return rows.map(transferOf);
    },
  };
}

interface PayoutRow {
  readonly id: string;
  readonly source: PayoutSource;
  readonly state: PayoutState;
  readonly reason: string | null;
  readonly version: number;
  readonly rail: RailId;
  readonly gross: string;
  readonly fee: string;
  readonly net: string;
  readonly funder: string | null;
  readonly person_id: string | null;
  readonly phone: string | null;
  readonly payee_name: string | null;
  readonly purpose: string | null;
  readonly reference: string | null;
  readonly list_id: string | null;
  readonly list_line: number | null;
  readonly last4: string | null;
  readonly name_score: number | null;
  readonly asked_by: string;
  readonly batch_id: string | null;
  readonly n: number | null;
  readonly item_state: ItemState | null;
  readonly created_at: Date;
  readonly state_at: Date;
  readonly expires_at: Date | null;
}

const payoutOf = (row: PayoutRow): PayoutView => ({
  id: PayoutId.parse(row.id),
  source: row.source,
  state: row.state,
  reason: row.reason,
  version: row.version,
  rail: row.rail,
  gross: BigInt(row.gross),
  fee: BigInt(row.fee),
  net: BigInt(row.net),
  funder: row.funder,
  personId: row.person_id,
  phone: row.phone,
  payee: row.payee_name,
  purpose: row.purpose,
  reference: row.reference,
  listId: row.list_id,
  listLine: row.list_line,
  last4: row.last4,
  nameScore: row.name_score,
  askedBy: row.asked_by,
  batch: batchOf(row),
  createdAt: row.created_at,
  stateAt: row.state_at,
  expiresAt: row.expires_at,
});

const batchOf = ({ batch_id: id, n, item_state: state }: PayoutRow): PayoutView['batch'] =>
  id !== null && n !== null && state !== null ? { id: BatchId.parse(id), n, state } : null;

const columns = `
p.id, p.source, p.state, p.reason, p.version, p.rail, p.gross, p.fee, p.net, p.funder, p.person_id, p.phone, p.payee_name, p.purpose, p.reference,
p.list_id, p.list_line, d.last4, p.name_score, p.asked_by, i.batch_id, i.n, i.state item_state, p.created_at, p.state_at, p.expires_at
from payout p left join payout_destination d on d.id = p.destination_id
-- The batch in which it stands, or stood last.
left join lateral (
  (select x.batch_id, x.n, x.state from payout_item x where x.payout_id = p.id and x.state not in ('dropped', 'failed') limit 1)
  union all
  (select x.batch_id, x.n, x.state from payout_item x where x.payout_id = p.id and x.state in ('dropped', 'failed') order by x.batch_id desc limit 1)
  limit 1) i on true`;

const list = `
select ${columns}
where p.project_id = $1 and ($2::text is null or p.state = $2) and ($3::text is null or p.source = $3) and ($4::text is null or p.rail = $4)
  and ($5::uuid is null or p.list_id = $5) and ($6::uuid is null or p.funder = $6) and ($7::uuid is null or p.person_id = $7)
  and ($8::text is null or p.phone = $8) and ($9::text is null or p.asked_by = $9)
  and ($10::timestamptz is null or p.created_at >= $10) and ($11::timestamptz is null or p.created_at < $11)
  and ($12::uuid is null or p.id < $12)
order by p.id desc limit $13`;

const find = `select ${columns} where p.project_id = $1 and p.id = $2`;

interface TransferRow {
  readonly n: string;
  readonly kind: string;
  readonly amount: string;
  readonly from: string;
  readonly to: string;
  readonly posted_at: Date;
  readonly actor: string;
}

const transferOf = ({ n, amount, posted_at, ...row }: TransferRow): PayoutTransfer => ({
  ...row,
  n: BigInt(n),
  amount: BigInt(amount),
  postedAt: posted_at,
});

/** By the keys under which a payout posts, which have an index; its id alone has none. */
const readTransfers = `
select t.n, t.kind, t.amount, d.class "from", c.class "to", t.posted_at, t.actor
from ledger_transfer t join ledger_account d on d.id = t.debit join ledger_account c on c.id = t.credit
where t.project_id = $1 and t.subject_id = $2
  and t.key in ('hold:' || $2::text, 'resolve:' || $2::text, 'fee:' || $2::text, 'return:' || $2::text, 'return-fee:' || $2::text)
order by t.n`;
