import type pg from 'pg';
import { DestinationId, PayoutId, type RailId } from '../../../../domain/pay/ids.ts';
import type { PayoutState } from '../../../../domain/pay/payout/payout.ts';
import type { MoneyRequest } from '../../../../domain/pay/money-request.ts';
import type {
  Asked,
  Balance,
  Destination,
  RecomputedBalance,
  Withdrawal,
  Withdrawals,
} from '../../../../domain/pay/payout/withdrawals.ts';
import type { Queryable } from '../../engine/transaction.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import { moneyRefusalOf } from '../money-faults.ts';
import { moneyOnce } from '../money-once.ts';

/** What people do with their money, by the functions that hold the rules. */
export function withdrawals(pool: pg.Pool, book: ProjectId): Withdrawals {
  return {
    ask: (request, of, as) =>
      moneyOnce(pool, request, async (tx) => as.accepted(await askOf(tx, book, request, of)), as.refused),
    cancel: (request, id, as) =>
      moneyOnce(pool, request, async (tx) => as.accepted(await cancelOf(tx, request, id)), as.refused),
    list: async (personId, { limit, after }) => {
      const { rows } = await pool.query<WithdrawalRow>(list, [book, personId, after, limit + 1]);
      return pageOf(rows.map(withdrawalOf), limit);
    },
    confirming: async (id) => {
      const { rows } = await pool.query<ConfirmingRow>(confirming, [book, id]);
      return rows[0] ? { ...rows[0], gross: BigInt(rows[0].gross) } : null;
    },
    challenged: (id, verificationId) => challenged(pool, id, verificationId),
    balance: (personId) => balanceOf(pool, book, personId),
    recompute: (personId) => recomputed(pool, book, personId),
    isTheirs: async (personId, telegramId) => {
      const { rows } = await pool.query<{ theirs: boolean }>(isTheirs, [personId, telegramId]);
      return rows[0]?.theirs ?? false;
    },
    destinations: async (personId) => {
      const { rows } = await pool.query<DestinationRow>(destinations, [book, personId]);
      return rows.map(destinationOf);
    },
    removeDestination: (personId, id) => removed(pool, personId, id),
  };
}

async function askOf(
  tx: Queryable,
  book: ProjectId,
  { personId }: MoneyRequest,
  { amount, fee, destinationId }: Parameters<Withdrawals['ask']>[1],
): Promise<Asked> {
  const values = [book, personId, destinationId, amount.toString(), fee.toString()];
  const { rows } = await tx.query<{ id: string; state: PayoutState }>(ask, values);
  const [row] = rows;
  if (!row) throw new Error('a withdrawal was asked for and has no row');
  return { id: PayoutId.parse(row.id), state: row.state, gross: amount, fee, net: amount - fee };
}

async function cancelOf(tx: Queryable, { personId }: MoneyRequest, id: PayoutId) {
  const { rows } = await tx.query<{ state: PayoutState }>(cancel, [id, personId]);
  const [row] = rows;
  if (!row) throw new Error('a withdrawal was cancelled and has no state');
  return { id, state: row.state };
}

/** Of a card that is none of theirs the rail is not told: the function refuses it as it refuses what does not exist. */
const ask = `
select a.id, a.state from payout_ask($1, 'withdrawal', null, $2, null, null, null, null, $3,
  coalesce((select d.rail::text from payout_destination d where d.id = $3 and d.person_id = $2), 'multicard'), $4, $5, 'person') a`;

const cancel = `select c.state from payout_cancel($1, $2, 'by-person', 'person') c`;

interface WithdrawalRow {
  readonly id: string;
  readonly state: Withdrawal['state'];
  readonly reason: string | null;
  readonly gross: string;
  readonly fee: string;
  readonly net: string;
  readonly destination_id: string;
  readonly rail: RailId;
  readonly last4: string;
  readonly created_at: Date;
  readonly state_at: Date;
}

const withdrawalOf = (row: WithdrawalRow): Withdrawal => ({
  id: PayoutId.parse(row.id),
  state: row.state,
  reason: row.reason,
  gross: BigInt(row.gross),
  fee: BigInt(row.fee),
  net: BigInt(row.net),
  destination: { id: DestinationId.parse(row.destination_id), rail: row.rail, last4: row.last4 },
  createdAt: row.created_at,
  stateAt: row.state_at,
});

const list = `
select p.id, case when p.state = 'pending' and exists (
    select from payout_block b where b.person_id = $2 and b.lifted_at is null and (b.until is null or b.until > navbat_now()))
  then 'review' else p.state end as state,
  p.reason, p.gross, p.fee, p.net, d.id destination_id, d.rail, d.last4, p.created_at, p.state_at
from payout p join payout_destination d on d.id = p.destination_id
where p.project_id = $1 and p.person_id = $2 and p.source = 'withdrawal' and ($3::uuid is null or p.id < $3)
order by p.id desc limit $4`;

interface ConfirmingRow {
  readonly gross: string;
  readonly last4: string;
  readonly rail: RailId;
}

const confirming = `
select p.gross, d.last4, d.rail from payout p join payout_destination d on d.id = p.destination_id
where p.project_id = $1 and p.id = $2 and p.state = 'confirming' and p.expires_at > navbat_now()`;

async function challenged(
  pool: pg.Pool,
  id: PayoutId,
  verificationId: string,
): ReturnType<Withdrawals['challenged']> {
  try {
    await pool.query('select payout_challenge($1, $2)', [id, verificationId]);
    return null;
  } catch (error) {
    const refusal = moneyRefusalOf(error);
    if (refusal === null) throw error;
    return refusal;
  }
}

async function balanceOf(pool: pg.Pool, book: ProjectId, personId: string): Promise<Balance> {
  const { rows } = await pool.query<BalanceRow>(balance, [book, personId]);
  const [row] = rows;
  return {
    available: BigInt(row?.available ?? 0),
    held: BigInt(row?.held ?? 0),
    receivable: BigInt(row?.receivable ?? 0),
  };
}

interface BalanceRow {
  readonly available: string;
  readonly held: string;
  readonly receivable: string;
}

/** In tiyin: what can be withdrawn is rounded down, what is owed up. */
const balance = `
select coalesce(sum(floor(a.balance / 10000.0)) filter (where a.class = 'available'), 0)::text available,
  coalesce(sum(floor(a.balance / 10000.0)) filter (where a.class = 'held'), 0)::text held,
  coalesce(sum(ceil(-a.balance / 10000.0)) filter (where a.class = 'receivable'), 0)::text receivable
from ledger_account a where a.project_id = $1 and a.owner = $2 and a.class in ('available', 'held', 'receivable')`;

async function recomputed(pool: pg.Pool, book: ProjectId, personId: string): Promise<RecomputedBalance> {
  const { rows } = await pool.query<BalanceRow & { readonly apart: string }>(recompute, [book, personId]);
  const [row] = rows;
  if (!row) throw new Error('a balance was recomputed and nothing was answered');
  return {
    available: BigInt(row.available),
    held: BigInt(row.held),
    receivable: BigInt(row.receivable),
    isVerified: row.apart === '0',
  };
}

const recompute = `select available, held, receivable, apart from balance_verify($1, $2)`;

const isTheirs = `
select exists (select from person_chat c where c.mode = 'live' and c.telegram_id = $2::bigint and c.person_id = $1) theirs`;

interface DestinationRow {
  readonly id: string;
  readonly rail: RailId;
  readonly last4: string;
  readonly usable_from: Date;
  readonly made_at: Date;
  readonly distrusted: boolean;
}

const destinationOf = (row: DestinationRow): Destination => ({
  id: DestinationId.parse(row.id),
  rail: row.rail,
  last4: row.last4,
  usableFrom: row.usable_from,
  madeAt: row.made_at,
  distrusted: row.distrusted,
});

const destinations = `
select d.id, d.rail, d.last4, d.usable_from, d.made_at, d.distrusted_at is not null as distrusted from payout_destination d
where d.project_id = $1 and d.person_id = $2 and d.removed_at is null order by d.id`;

async function removed(pool: pg.Pool, personId: string, id: DestinationId): Promise<boolean> {
  try {
    await pool.query('select payout_destination_remove($1, $2)', [id, personId]);
    return true;
  } catch (error) {
    if (moneyRefusalOf(error)?.kind === 'unknown') return false;
    throw error;
  }
}
