import type pg from 'pg';
import type { Queryable } from '../../../../infra/postgres/engine/transaction.ts';

/** What `run` answers, and how many rows of a table it read, by whatever way. */
export async function rowsRead<Out>(
  pool: pg.Pool,
  table: string,
  run: (db: Queryable) => Promise<Out>,
): Promise<{ out: Out; read: number }> {
  const client = await pool.connect();
  // Of this transaction, and not yet given to the statistics.
  const count = async () =>
    Number(
      (
        await client.query<{ n: string }>(
          `select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as n from pg_stat_xact_user_tables where relname = $1`,
          [table],
        )
      ).rows[0]?.n ?? 0,
    );
  try {
    await client.query('begin');
    const before = await count();
    const out = await run(client);
    const read = (await count()) - before;
    await client.query('commit');
    return { out, read };
  } finally {
    client.release();
  }
}
