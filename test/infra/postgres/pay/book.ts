import { randomUUID } from 'node:crypto';
import type { Queryable } from '../../../../infra/postgres/engine/transaction.ts';
import { openGround } from '../world.ts';

/** One side of what `ledger_post` is asked. */
export interface Item {
  readonly key: string;
  readonly kind: string;
  readonly debit: string;
  readonly credit: string;
  readonly amount: bigint;
  readonly subject?: string | null;
}
export interface Posted {
  readonly n: string | null;
  readonly state: string;
}

/** A book of this test's own, over a real Postgres. */
export async function openTestBook() {
  const ground = await openGround();
  const { projectId } = await ground.makeProject();
  await ground.pool.query('select ledger_book_open($1)', [projectId]);
  return {
    ...ground,
    projectId,
    /** The same, on other connections. */
    on: (db: Queryable) => bookOf(db, projectId),
    ...bookOf(ground.pool, projectId),
  };
}

/** The functions as they are called in SQL. */
export function bookOf(pool: Queryable, book: string) {
  const args = (items: readonly Item[], by: string) => [
    book,
    items.map(({ key }) => key),
    items.map(({ kind }) => kind),
    items.map(({ debit }) => debit),
    items.map(({ credit }) => credit),
    items.map(({ amount }) => amount.toString()),
    items.map(({ subject }) => subject ?? null),
    items.map(() => '2026-11-29T10:00:00Z'),
    items.map(() => by),
  ];
  const call = async (name: 'ledger_post' | 'ledger_post_all', items: readonly Item[], by: string) =>
    (
      await pool.query<Posted>(
        `select n, state from ${name}($1, $2, $3, $4, $5, $6, $7, $8, $9) order by item`,
        args(items, by),
      )
    ).rows;
  const open = async (cls: string, owner: string | null = null, rail: string | null = null) =>
    (
      await pool.query<{ account: string }>('select account from ledger_open($1, $2, $3, $4)', [
        book,
        [cls],
        [owner],
        [rail],
      ])
    ).rows[0]?.account ?? '';
  return {
    post: (items: readonly Item[], by = 'test') => call('ledger_post', items, by),
    postAll: (items: readonly Item[], by = 'test') => call('ledger_post_all', items, by),
    open,
    /** A person with so much available. */
    person: async (amount: bigint) => {
      const id = randomUUID();
      const [available, held] = [await open('available', id), await open('held', id)];
      const earn = { kind: 'earn', debit: await open('earnings'), credit: available, amount };
      if (amount > 0n) await call('ledger_post', [{ key: `earn:${id}`, ...earn }], 'test');
      return { id, available, held };
    },
    balance: async (account: string): Promise<bigint> =>
      BigInt(
        (await pool.query<{ balance: string }>('select balance from ledger_account where id = $1', [account]))
          .rows[0]?.balance ?? 'none',
      ),
    transfers: async (): Promise<number> =>
      Number(
        (
          await pool.query<{ n: string }>('select count(*) n from ledger_transfer where project_id = $1', [
            book,
          ])
        ).rows[0]?.n,
      ),
  };
}
