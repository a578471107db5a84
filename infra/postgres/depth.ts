import type { Pool } from 'pg';
import { z } from 'zod';
import type { KindDepth } from '../metrics.ts';

/** A scraper comes every 15 s or so; several of them, or a page that reloads, share one count. */
export const DEPTH_REMEMBERED_MS = 5_000;
/** A count that takes longer is given up: the page then lacks its depth, and Postgres has its time back. */
const STATEMENT_TIMEOUT_MS = 3_000;

const DepthRow = z.object({
  kind: z.string(),
  unfinished: z.coerce.number(),
  waiting: z.coerce.number(),
  oldest: z.coerce.number(),
});

// Reads the unfinished rows only, through their partial index: its cost is that of the backlog, not of the history.
const COUNT = `
select kind, count(*) as unfinished, count(*) filter (where state = 'accepted') as waiting,
  coalesce(extract(epoch from now() - min(run_at) filter (where state = 'accepted' and run_at <= now())), 0) as oldest
from job where finished_at is null group by kind`;

/** Depth of each kind that has unfinished jobs, as of the last seconds. Calls that come together share one count. */
export function depthReader(
  pool: Pool,
  nowMs: () => number = () => performance.now(),
): () => Promise<readonly KindDepth[]> {
  let counted: { readonly atMs: number; readonly kinds: Promise<readonly KindDepth[]> } | undefined;
  return () => {
    const atMs = nowMs();
    if (!counted || atMs - counted.atMs >= DEPTH_REMEMBERED_MS)
      counted = { atMs, kinds: countDepth(pool).catch(() => []) };
    return counted.kinds;
  };
}

async function countDepth(pool: Pool): Promise<readonly KindDepth[]> {
  const client = await pool.connect();
  try {
    await client.query('begin read only');
    await client.query(`set local statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
    const { rows } = await client.query(COUNT);
    await client.query('commit');
    client.release();
    return z
      .array(DepthRow)
      .parse(rows)
      .map(({ oldest, ...depth }) => ({ ...depth, oldestWaitingSeconds: oldest }));
  } catch (error) {
    // Closed rather than rolled back: it may be the connection that failed.
    client.release(true);
    throw error;
  }
}
