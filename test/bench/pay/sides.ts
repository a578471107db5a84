import { randomInt, randomUUID } from 'node:crypto';
import { type Client, Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { hotPool } from '../../../infra/postgres/engine/hot-pool.ts';
import type { Stage } from '../support/stage.ts';
import {
  copyTransfers,
  insertMany,
  insertOne,
  lockBoth,
  moveBalance,
  postMany,
  postOne,
  rivalAccounts,
  rivals,
} from './rivals.ts';

/** Of one post and of one raw insert. */
export const BATCH = 100;
/** What one call may hold: a book is filled as fast as it goes. */
const FILL_BATCH = 1_000;
/** As many as one call opens. */
const PERSONS = 1_000;
/** Transfers that one statement copies into the rivals' table. */
const COPY = 100_000;
const AMOUNT = '1000000';
const ACTOR = 'bench';
export const CONNECTIONS_MAX = 16;

/** Each has the commit of what it wrote behind it when it returns. Every transfer is between one hot account and one of many persons. */
export interface Sides {
  /** A call of `ledger_post`. */
  readonly post: () => Promise<void>;
  /** One multi-row insert of the same rows into a table of the same columns, checks and indexes: nothing is read, locked or decided. */
  readonly insert: () => Promise<void>;
  /** One transfer by one call of a function: both accounts locked in the order of their ids, both balances, the row. */
  readonly one: () => Promise<void>;
  /** The same transfer as six statements of a transaction. */
  readonly transaction: () => Promise<void>;
  /** The book and the rivals' table, as large as this. */
  readonly fill: (size: number) => Promise<void>;
  /** @throws where the book is not as long as was posted, or its balances are not what its transfers say. */
  readonly assertWhole: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openSides({ sql, postgresUrl, ownerUrl }: Stage, book: string): Promise<Sides> {
  await sql.query('select ledger_book_open($1)', [book]);
  const accounts = await openAccounts(sql, book);
  for (const statement of rivals) await sql.query(statement);
  await sql.query(rivalAccounts, [book]);
  // As the product connects, and one for the whole run: a plan that was kept of a young table has to do for an old one. Of the owner: no
  // process posts by itself.
  const poster = hotPool(ownerUrl, 1);
  const others = new Pool({ connectionString: postgresUrl, max: CONNECTIONS_MAX });
  let next: ReturnType<typeof transfers> | undefined;
  let posted = 0;
  let copied = 0;
  const send = async (pool: Pool, query: { name: string; text: string }, items: number) => {
    const columns = next?.[0].length === items ? next : transfers(accounts, items);
    const answer = pool.query<{ posted: number }>({ ...query, values: [book, ...columns] });
    // While Postgres works, so that neither side waits for its caller.
    next = transfers(accounts, items);
    return (await answer).rows[0]?.posted;
  };
  const post = async (items: number) => {
    const done = await send(poster, { name: 'post-many', text: postMany }, items);
    if (done !== items) throw new Error(`${done} posted of ${items}`);
    posted += items;
  };
  return {
    post: () => post(BATCH),
    insert: async () => void (await send(others, { name: 'insert-many', text: insertMany }, BATCH)),
    one: async () => {
      await others.query({ name: 'post-one', text: postOne, values: [book, ...oneTransfer(accounts)] });
    },
    transaction: () => postByStatements(others, book, oneTransfer(accounts)),
    fill: async (size) => {
      while (posted < size) await post(Math.min(FILL_BATCH, size - posted));
      for (; copied < size; copied = Math.min(size, copied + COPY))
        await sql.query(copyTransfers, [book, copied, Math.min(size, copied + COPY)]);
      // Else autovacuum does it in the middle of a turn.
      await sql.query('vacuum analyze ledger_transfer, ledger_account, rival_transfer, rival_account');
    },
    assertWhole: () => assertWhole(sql, book, posted),
    close: async () => void (await Promise.all([poster.end(), others.end()])),
  };
}

interface Accounts {
  /** Debited by every transfer. */
  readonly hot: string;
  readonly persons: readonly string[];
}

async function openAccounts(sql: Client, book: string): Promise<Accounts> {
  const open = async (cls: string, owners: readonly (string | null)[]) =>
    (
      await sql.query<{ account: string }>('select account from ledger_open($1, $2, $3, $4) order by item', [
        book,
        owners.map(() => cls),
        owners,
        owners.map(() => null),
      ])
    ).rows.map(({ account }) => account);
  const [hot = ''] = await open('earnings', [null]);
  return {
    hot,
    persons: await open(
      'available',
      Array.from({ length: PERSONS }, () => randomUUID()),
    ),
  };
}

/** Columns, in the order of the arguments of `ledger_post`. Subjects and their keys grow with time, as the ids of the product do. */
function transfers({ hot, persons }: Accounts, items: number) {
  const subjects = Array.from({ length: items }, () => uuidv7());
  const all = <T>(value: T) => subjects.map(() => value);
  return [
    subjects.map((id) => `earn:${id}`),
    all('earn'),
    all(hot),
    subjects.map(() => persons[randomInt(persons.length)]),
    all(AMOUNT),
    subjects,
    all(new Date().toISOString()),
    all(ACTOR),
  ] as const;
}

function oneTransfer(accounts: Accounts) {
  const [
    [key = ''],
    ,
    [debit = ''],
    [credit = ''],
    [amount = ''],
    [subject = ''],
    [eventAt = ''],
    [actor = ''],
  ] = transfers(accounts, 1);
  return [key, debit, credit, amount, subject, eventAt, actor] as const;
}

async function postByStatements(
  pool: Pool,
  book: string,
  transfer: ReturnType<typeof oneTransfer>,
): Promise<void> {
  const [, debit, credit, amount] = transfer;
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query({ ...lockBoth, values: [[debit, credit]] });
    const move = async (account: string, by: string) =>
      (await client.query<{ balance: string }>({ ...moveBalance, values: [account, by] })).rows[0]?.balance;
    const afters = [await move(debit, `-${amount}`), await move(credit, amount)];
    await client.query({ ...insertOne, values: [book, ...transfer, ...afters] });
    await client.query('commit');
  } finally {
    client.release();
  }
}

async function assertWhole(sql: Client, book: string, posted: number): Promise<void> {
  const { rows } = await sql.query<{ transfers: string; last: string; off: string; sum: string }>(whole, [
    book,
  ]);
  const { transfers: counted, last, off, sum } = rows[0] ?? {};
  if (counted !== String(posted) || last !== counted || off !== '0' || sum !== '0')
    throw new Error(`${posted} posted: ${JSON.stringify(rows[0])} is in the book`);
}

const whole = `
with entry as (
  select account, sum(amount) amount from ledger_entry where project_id = $1 group by account)
select (select count(*) from ledger_transfer where project_id = $1) transfers,
       (select next_n - 1 from ledger_book where project_id = $1) last,
       (select count(*) from ledger_account a left join entry e on e.account = a.id
        where a.project_id = $1 and a.balance <> coalesce(e.amount, 0)) off,
       (select sum(balance) from ledger_account where project_id = $1) sum`;
