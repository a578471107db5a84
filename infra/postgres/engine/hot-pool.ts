import pg from 'pg';
import { connection } from './session.ts';

/** Hot statements wait this long for a row that another transaction holds; then the caller is told to come again. */
const LOCK_TIMEOUT_MS = 2_000;
/** No hot statement has business running longer. */
const STATEMENT_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connections for the hot statements, in pipeline mode: what one phase of a transaction needs goes out in one round trip.
 * Everything on them is parameterised SQL; each transaction checks that its commit was one.
 */
export function hotPool(databaseUrl: string, connectionsMax: number): pg.Pool {
  return openPool(databaseUrl, connectionsMax, HOT);
}

/**
 * As above, for the scheduler, whose every look-up takes the first few entries of one index. After a quiet night the statistics
 * say that no job waits, and then all indexes seem alike: it sorted thousands of jobs for each project (measured: 15 s for 400
 * jobs of 1 000 projects, and nothing was scheduled). Where an order may not be made, the index that has it is taken. What can
 * only be sorted still is.
 */
export function schedulerPool(databaseUrl: string, connectionsMax: number): pg.Pool {
  return openPool(databaseUrl, connectionsMax, `${HOT} -c enable_sort=off -c enable_seqscan=off`);
}

// A named statement is parsed once, and planned each time by how large its tables are then: a plan that is kept from
// when they were empty scans them as they grow (measured: 7 ms in place of 0.1 ms after 40 000 rows).
// An index look-up is priced as on an SSD with most of its pages in memory: at a disk's price a batch scans whole tables.
const HOT = '-c plan_cache_mode=force_custom_plan -c random_page_cost=1.1';

function openPool(databaseUrl: string, connectionsMax: number, options: string): pg.Pool {
  const pool = new pg.Pool(
    connection(databaseUrl, {
      max: connectionsMax,
      pipeline: true,
      lock_timeout: LOCK_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      options,
    }),
  );
  // An idle connection that Postgres closes (restart) is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  // The pool listens to idle ones alone. One that is lost in a transaction has failed its statements, which is told there.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

interface Written<Out> {
  readonly sent: readonly Promise<unknown>[];
  readonly out: Out;
}

/** A transaction in pipelined phases. `read` goes out with `begin`; what `write` returns goes out with `commit`. */
export async function inTwoPhases<Read extends readonly Promise<unknown>[], Out>(
  pool: pg.Pool,
  read: (client: pg.PoolClient) => Read,
  write: (
    facts: { -readonly [K in keyof Read]: Awaited<Read[K]> },
    client: pg.PoolClient,
  ) => Written<Out> | Promise<Written<Out>>,
): Promise<Out> {
  const client = await pool.connect();
  try {
    const begun = client.query('begin');
    const [, ...facts] = await Promise.all([begun, ...read(client)]);
    const { sent, out } = await write(facts as { -readonly [K in keyof Read]: Awaited<Read[K]> }, client);
    const [, commit] = await Promise.all([Promise.all(sent), client.query('commit')]);
    if (commit.command !== 'COMMIT') throw new Error('the transaction was rolled back');
    client.release();
    return out;
  } catch (error) {
    await abandon(client);
    throw error;
  }
}

/** After an error the connection is kept when it can roll back, and closed when it cannot. */
async function abandon(client: pg.PoolClient): Promise<void> {
  try {
    await client.query('rollback');
    client.release();
  } catch (error) {
    client.release(error instanceof Error ? error : true);
  }
}
