import pg from 'pg';
import {
  AccountId,
  type AccountName,
  type Balance,
  type Ledger,
  Micros,
  type Posted,
  type PostedTransfer,
  type Refused,
  type Transfer,
  type TransferKind,
} from '../../../../domain/pay/ledger/port.ts';
import { refusalOf } from '../../../../domain/pay/ledger/refusals.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { batcher } from '../../engine/batcher.ts';

/** What the functions of the ledger take in one call. */
const ITEMS_MAX = 1_000;
/** The lock of the book lets one post at a time; what comes meanwhile forms the next batch. */
const BATCHES_IN_FLIGHT_MAX = 1;

/**
 * The book of a project, made where it is missing. One for a process, so that all it posts shares its batches.
 *
 * @throws where there is no such project.
 */
export async function openLedger(pool: pg.Pool, book: ProjectId): Promise<Ledger> {
  await pool.query(`select ledger_book_open($1)`, [book]);
  return {
    open: (names) => openAccounts(pool, book, names),
    post: batcher({
      name: 'ledger',
      sizeMax: ITEMS_MAX,
      inFlightMax: BATCHES_IN_FLIGHT_MAX,
      run: (transfers: readonly Transfer[]) => postEach(pool, book, transfers),
    }),
    postAll: (transfers) => postAll(pool, book, transfers),
    find: (key) => find(pool, book, key),
    balances: (accounts) => balances(pool, book, accounts),
  };
}

async function openAccounts(
  pool: pg.Pool,
  book: ProjectId,
  names: readonly AccountName[],
): Promise<readonly AccountId[]> {
  const ids: AccountId[] = [];
  for (let from = 0; from < names.length; from += ITEMS_MAX) {
    const chunk = names.slice(from, from + ITEMS_MAX);
    const { rows } = await pool.query<{ account: string }>({
      name: 'ledger-open',
      text: `select account from ledger_open($1, $2, $3, $4) order by item`,
      values: [
        book,
        chunk.map((name) => name.class),
        chunk.map((name) => ('owner' in name ? name.owner : null)),
        chunk.map((name) => ('rail' in name ? name.rail : null)),
      ],
    });
    ids.push(...rows.map(({ account }) => AccountId.parse(account)));
  }
  return ids;
}

interface PostRow {
  readonly n: string | null;
  readonly state: string;
}

/** In columns, as the functions take them. */
const columnsOf = (book: ProjectId, transfers: readonly Transfer[]): readonly unknown[] => [
  book,
  transfers.map(({ key }) => key),
  transfers.map(({ kind }) => kind),
  transfers.map(({ debit }) => debit),
  transfers.map(({ credit }) => credit),
  transfers.map(({ amount }) => amount.toString()),
  transfers.map(({ subjectId }) => subjectId),
  transfers.map(({ eventAt }) => eventAt.toISOString()),
  transfers.map(({ actor }) => actor),
];

async function postEach(
  pool: pg.Pool,
  book: ProjectId,
  transfers: readonly Transfer[],
): Promise<(Posted | Refused)[]> {
  const { rows } = await pool
    .query<PostRow>({
      name: 'ledger-post',
      text: `select n, state from ledger_post($1, $2, $3, $4, $5, $6, $7, $8, $9) order by item`,
      values: [...columnsOf(book, transfers)],
    })
    .catch(asBusy);
  return rows.map(answerOf);
}

/** @throws where the row is none of an answer, which would be a transfer without one. */
function answerOf({ n, state }: PostRow): Posted | Refused {
  const reason = refusalOf(state);
  if (reason !== null) return { ok: false, reason };
  if (n === null) throw new Error(`ledger_post answered ${state} without a number`);
  return { ok: true, n: BigInt(n), repeated: state === 'repeated' };
}

async function postAll(
  pool: pg.Pool,
  book: ProjectId,
  transfers: readonly Transfer[],
): ReturnType<Ledger['postAll']> {
  try {
    const { rows } = await pool.query<PostRow>({
      name: 'ledger-post-all',
      text: `select n, state from ledger_post_all($1, $2, $3, $4, $5, $6, $7, $8, $9) order by item`,
      values: [...columnsOf(book, transfers)],
    });
    return { ok: true, posted: rows.map(answerOf).filter((each) => each.ok) };
  } catch (error) {
    const reason = refusedItem(error);
    if (reason === null) throw error;
    return { ok: false, reason };
  }
}

/** Of what was raised for one item, which has its number as detail; null where the call itself is at fault. */
const refusedItem = (error: unknown) =>
  error instanceof pg.DatabaseError && error.detail !== undefined ? refusalOf(error.code ?? '') : null;

/** Postgres: the book was not to be had within `lock_timeout`. */
const LOCK_NOT_AVAILABLE = '55P03';

/** The book is held by another for too long. No item is at fault, so none is tried by itself. */
class LedgerBusyError extends Error {
  override readonly name = 'LedgerBusyError';
  /** By which a route answers 503, `in-progress`. */
  readonly code = LOCK_NOT_AVAILABLE;
}

function asBusy(error: unknown): never {
  if (error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE)
    throw new LedgerBusyError('the book is held by another transaction', { cause: error });
  throw error;
}

interface TransferRow {
  readonly n: string;
  readonly key: string;
  readonly kind: string;
  readonly debit: string;
  readonly credit: string;
  readonly amount: string;
  readonly subject_id: string | null;
  readonly event_at: Date;
  readonly actor: string;
}

async function find(pool: pg.Pool, book: ProjectId, key: string): Promise<PostedTransfer | null> {
  const { rows } = await pool.query<TransferRow>({
    name: 'ledger-find',
    text: `
select n, key, kind, debit, credit, amount, subject_id, event_at, actor from ledger_transfer where project_id = $1 and key = $2`,
    values: [book, key],
  });
  const [row] = rows;
  return row ? transferOf(row) : null;
}

const transferOf = ({ n, key, kind, debit, credit, amount, ...row }: TransferRow): PostedTransfer => ({
  n: BigInt(n),
  key,
  // By a move of the ledger, whose kinds are these.
  kind: kind as TransferKind,
  debit: AccountId.parse(debit),
  credit: AccountId.parse(credit),
  amount: Micros.parse(BigInt(amount)),
  subjectId: row.subject_id,
  eventAt: row.event_at,
  actor: row.actor,
});

async function balances(
  pool: pg.Pool,
  book: ProjectId,
  accounts: readonly AccountId[],
): Promise<readonly Balance[]> {
  const { rows } = await pool.query<{ id: string; balance: string; version: string }>({
    name: 'ledger-balances',
    text: `select id, balance, version from ledger_account where project_id = $1 and id = any ($2::bigint[])`,
    values: [book, accounts],
  });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return accounts.map((account) => {
    const row = byId.get(account);
    if (!row) throw new Error(`no account ${account} in this book`);
    return { account, balance: BigInt(row.balance), version: BigInt(row.version) };
  });
}
