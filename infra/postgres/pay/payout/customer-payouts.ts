import type pg from 'pg';
import { PayoutId } from '../../../../domain/pay/ids.ts';
import { nameScore } from '../../../../domain/pay/list/name-score.ts';
import type {
  AskedPayout,
  CustomerPayout,
  CustomerPayouts,
  PayingKey,
  PayoutOrder,
} from '../../../../domain/pay/payout/customer-payouts.ts';
import type { PayoutState } from '../../../../domain/pay/payout/payout.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Queryable } from '../../engine/transaction.ts';
import { moneyOnce } from '../money-once.ts';

export function customerPayouts(pool: pg.Pool, book: ProjectId): CustomerPayouts {
  return {
    ask: (request, by, orders, as) =>
      moneyOnce(pool, request, async (tx) => as.accepted(await askAll(tx, { book, by, orders })), as.refused),
    cancel: (request, { funder, keyId }, id, as) =>
      moneyOnce(
        pool,
        request,
        async (tx) => {
          const { rows } = await tx.query<{ state: PayoutState }>(cancel, [id, funder, keyId]);
          const [row] = rows;
          if (!row) throw new Error('a payout was cancelled and has no state');
          return as.accepted({ id, state: row.state });
        },
        as.refused,
      ),
    list: async (funder, { state, reference }, { limit, after }) => {
      const { rows } = await pool.query<PayoutRow>(list, [
        funder,
        state ?? null,
        reference ?? null,
        after,
        limit + 1,
      ]);
      return pageOf(rows.map(payoutOf), limit);
    },
    find: async (funder, id) => {
      const { rows } = await pool.query<PayoutRow>(find, [funder, id]);
      return rows[0] ? payoutOf(rows[0]) : null;
    },
  };
}

interface Asking {
  readonly book: ProjectId;
  readonly by: PayingKey;
  readonly orders: readonly PayoutOrder[];
}

interface AskedRow {
  readonly place: number;
  readonly id: string;
  readonly state: PayoutState;
  readonly repeated: boolean;
}

async function askAll(tx: Queryable, { book, by, orders }: Asking): Promise<readonly AskedPayout[]> {
  const cards = await cardsOf(
    tx,
    book,
    orders.map(({ phone }) => phone),
  );
  const bound = orders.map(({ phone, name }) => {
    const card = cards.get(phone);
    return { id: card?.id ?? null, score: card?.holder_name ? nameScore(name, card.holder_name) : null };
  });
  const { rows } = await tx.query<AskedRow>(askByKey, [
    book,
    by.funder,
    by.keyId,
    by.dayMax.toString(),
    orders.map(({ phone }) => phone),
    orders.map(({ name }) => name),
    orders.map(({ purpose }) => purpose),
    orders.map(({ reference }) => reference),
    orders.map(({ amount }) => amount.toString()),
    bound.map(({ id }) => id),
    bound.map(({ score }) => score),
  ]);
  return rows.map(({ place, id, state, repeated }) => {
    const { reference = '' } = orders[place - 1] ?? {};
    return { id: PayoutId.parse(id), reference, state, repeated };
  });
}

const askByKey = `
select a.place, a.id, a.state, a.repeated
from payout_ask_by_key($1, $2, $3, $4, $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::uuid[], $11::smallint[]) a order by a.place`;

interface CardRow {
  readonly phone: string;
  readonly id: string;
  readonly holder_name: string | null;
}

async function cardsOf(
  tx: Queryable,
  book: ProjectId,
  phones: readonly string[],
): Promise<Map<string, CardRow>> {
  const { rows } = await tx.query<CardRow>(readCards, [book, phones]);
  return new Map(rows.map((row) => [row.phone, row]));
}

/** The newest that can be paid to, of each payee. */
const readCards = `
select distinct on (d.phone) d.phone, d.id, d.holder_name from payout_destination d
where d.project_id = $1 and d.phone = any ($2) and d.rail = 'multicard' and d.removed_at is null and d.distrusted_at is null
  and d.usable_from <= navbat_now()
order by d.phone, d.made_at desc`;

const cancel = `select c.state from payout_cancel_by_key($1, $2, $3) c`;

interface PayoutRow {
  readonly id: string;
  readonly reference: string;
  readonly state: PayoutState;
  readonly reason: string | null;
  readonly gross: string;
  readonly fee: string;
  readonly phone: string;
  readonly payee_name: string | null;
  readonly purpose: string | null;
  readonly created_at: Date;
  readonly state_at: Date;
  readonly expires_at: Date | null;
}

const payoutOf = (row: PayoutRow): CustomerPayout => ({
  id: PayoutId.parse(row.id),
  reference: row.reference,
  state: row.state,
  reason: row.reason,
  gross: BigInt(row.gross),
  fee: BigInt(row.fee),
  phone: row.phone,
  name: row.payee_name,
  purpose: row.purpose,
  createdAt: row.created_at,
  stateAt: row.state_at,
  expiresAt: row.expires_at,
});

const columns = `p.id, p.reference, p.state, p.reason, p.gross, p.fee, p.phone, p.payee_name, p.purpose, p.created_at, p.state_at, p.expires_at`;

const list = `
select ${columns} from payout p
where p.source = 'api' and p.funder = $1 and ($2::text is null or p.state = $2) and ($3::text is null or p.reference = $3)
  and ($4::uuid is null or p.id < $4)
order by p.id desc limit $5`;

const find = `select ${columns} from payout p where p.source = 'api' and p.funder = $1 and p.id = $2`;
