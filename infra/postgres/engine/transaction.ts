import type pg from 'pg';

/** What runs a statement: a pool, or the transaction that it belongs to. */
export type Queryable = Pick<pg.Pool | pg.PoolClient, 'query'>;

/** One step after the other in one commit; whatever is thrown rolls back. */
export async function inTransaction<T>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const tx = await pool.connect();
  try {
    await tx.query('begin');
    const done = await work(tx);
    const { command } = await tx.query('commit');
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back');
    tx.release();
    return done;
  } catch (error) {
    // A connection that can't even roll back is not handed out again.
    await tx.query('rollback').then(
      () => tx.release(),
      (lost: unknown) => tx.release(lost instanceof Error ? lost : true),
    );
    throw error;
  }
}
