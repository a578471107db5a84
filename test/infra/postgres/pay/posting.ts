import { randomUUID } from 'node:crypto';
import type { Queryable } from '../../../../infra/postgres/engine/transaction.ts';

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

/** The functions as they are called in SQL, on a connection of the owner: no process may post. */
export function bookOf(db: Queryable, book: string) {
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
      await db.query<Posted>(
        `select n, state from ${name}($1, $2, $3, $4, $5, $6, $7, $8, $9) order by item`,
        args(items, by),
      )
    ).rows;
  const open = async (cls: string, owner: string | null = null, rail: string | null = null) =>
    (
      await db.query<{ account: string }>('select account from ledger_open($1, $2, $3, $4)', [
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
        (await db.query<{ balance: string }>('select balance from ledger_account where id = $1', [account]))
          .rows[0]?.balance ?? 'none',
      ),
    transfers: async (): Promise<number> =>
      Number(
        (
          await db.query<{ n: string }>('select count(*) n from ledger_transfer where project_id = $1', [
            book,
          ])
        ).rows[0]?.n,
      ),
  };
}
