import type pg from 'pg';
import { PayoutId } from '../../../../domain/pay/ids.ts';
import type {
  ApiPayoutRequest,
  AskedPayout,
  PayoutReads,
  Payouts,
  PayoutsDue,
  PayoutView,
  WithdrawalRequest,
} from '../../../../domain/pay/payout/port.ts';
import { PayoutState } from '../../../../domain/pay/payout/payout.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { Queryable } from '../../engine/transaction.ts';
import { refusing } from '../money-faults.ts';

/** Payouts of one book. What refuses is in Postgres, and so is what holds their money. */
export function payoutStore(book: ProjectId): Payouts<Queryable> {
  return {
    ask: (tx, request) => refusing(ask(tx, book, request)),
    challenged: (tx, payoutId, verificationId) =>
      refusing(stateOf(tx.query<StateRow>(challenge, [payoutId, verificationId]))),
    cancel: (tx, { payoutId, personId, reason, actor }) =>
      refusing(stateOf(tx.query<StateRow>(cancel, [payoutId, personId, reason, actor]))),
    bind: (tx, { payoutId, destinationId, nameScore }) =>
      refusing(stateOf(tx.query<StateRow>(bind, [payoutId, destinationId, nameScore]))),
  };
}

interface StateRow {
  readonly state: string;
}
const challenge = `select payout_challenge($1, $2) as state`;
const cancel = `select state from payout_cancel($1, $2, $3, $4)`;
const bind = `select state from payout_bind($1, $2, $3::smallint)`;

async function stateOf(asked: Promise<pg.QueryResult<StateRow>>): Promise<PayoutState> {
  const { rows } = await asked;
  return PayoutState.parse(rows[0]?.state);
}

interface AskedRow {
  readonly id: string;
  readonly state: string;
  readonly version: number;
  readonly repeated: boolean;
}

async function ask(
  tx: Queryable,
  book: ProjectId,
  request: WithdrawalRequest | ApiPayoutRequest,
): Promise<AskedPayout> {
  const { kind, personId, destinationId, rail, gross, fee } = request;
  const api = kind === 'api' ? request : null;
  const { rows } = await tx.query<AskedRow>(askFor, [
    book,
    kind,
    api?.funder ?? null,
    personId,
    api?.phone ?? null,
    api?.payeeName ?? null,
    api?.purpose ?? null,
    api?.reference ?? null,
    destinationId,
    rail,
    gross,
    fee,
    api === null ? 'person' : `key:${api.keyId}`,
  ]);
  const [row] = rows;
  if (!row) throw new Error('payout_ask answered nothing');
  return { ...row, id: PayoutId.parse(row.id), state: PayoutState.parse(row.state) };
}

const askFor = `
select id, state, version, repeated from payout_ask($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`;

export function payoutsDue(pool: pg.Pool): PayoutsDue {
  return {
    confirm: async (limit) => {
      const { rows } = await pool.query<{ done: number }>('select payout_confirm_due($1) as done', [limit]);
      return rows[0]?.done ?? 0;
    },
    expire: async (limit) => {
      const { rows } = await pool.query<{ id: string }>('select payout_expire($1) as id', [limit]);
      return rows.map(({ id }) => PayoutId.parse(id));
    },
  };
}

/** Amounts of Postgres, which are text. */
type PayoutRow = Omit<PayoutView, 'gross' | 'fee' | 'net'> & Record<'gross' | 'fee' | 'net', string>;

export function payoutReads(pool: pg.Pool, book: ProjectId): PayoutReads {
  return {
    find: async (id) => {
      const { rows } = await pool.query<PayoutRow>(findOne, [book, id]);
      return rows[0] ? viewOf(rows[0]) : null;
    },
    ofPerson: async (personId, { after, limit }) => {
      const { rows } = await pool.query<PayoutRow>(ofPerson, [book, personId, after, limit + 1]);
      return pageOf(rows.map(viewOf), limit);
    },
    ofFunder: async (funder, { after, limit }) => {
      const { rows } = await pool.query<PayoutRow>(ofFunder, [book, funder, after, limit + 1]);
      return pageOf(rows.map(viewOf), limit);
    },
  };
}

const viewOf = ({ gross, fee, net, ...row }: PayoutRow): PayoutView => ({
  ...row,
  gross: BigInt(gross),
  fee: BigInt(fee),
  net: BigInt(net),
});

const columns = `
select p.id, p.source, p.funder, p.person_id as "personId", p.phone, p.payee_name as "payeeName", p.purpose, p.reference, p.list_id as "listId",
  p.list_line as "listLine", p.destination_id as "destinationId", d.last4, p.rail, p.gross, p.fee, p.net, p.state, p.reason, p.version,
  p.verification_id as "verificationId", p.name_score as "nameScore", p.created_at as "createdAt", p.state_at as "stateAt", p.expires_at as "expiresAt"
from payout p left join payout_destination d on d.id = p.destination_id
where p.project_id = $1`;

const findOne = `${columns} and p.id = $2`;
const newestFirst = `and ($3::uuid is null or p.id < $3) order by p.id desc limit $4`;
const ofPerson = `${columns} and p.person_id = $2 and p.source = 'withdrawal' ${newestFirst}`;
const ofFunder = `${columns} and p.funder = $2 ${newestFirst}`;
