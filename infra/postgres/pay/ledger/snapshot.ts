import type pg from 'pg';

/** All of it. Ten million transfers take half a minute here; an old snapshot holds back vacuum of the whole database. */
const SNAPSHOT_SECONDS = 1_800;
/** For the sort of a book's transfers: 4 MB would go to disk from ten thousand on. */
const SORT_MB = 64;

/** Runs `work` in one snapshot that can write nothing and ends within half an hour. */
export async function inSnapshot<Out>(
  pool: pg.Pool,
  work: (db: pg.PoolClient) => Promise<Out>,
): Promise<Out> {
  const db = await pool.connect();
  try {
    await db.query('begin isolation level repeatable read read only');
    await db.query(`set local transaction_timeout = '${SNAPSHOT_SECONDS}s'`);
    await db.query(`set local work_mem = '${SORT_MB}MB'`);
    // Tables are named with their schema. Were it searched too, a function of its owner for a domain or type of the owner's would be
    // preferred to that of Postgres. What this path does not name comes first: temporary tables.
    await db.query('set local search_path = pg_catalog, pg_temp');
    return await work(db);
  } finally {
    await db.query('rollback').then(
      () => db.release(),
      (lost: unknown) => db.release(lost instanceof Error ? lost : true),
    );
  }
}
