import type { Pool } from 'pg';
import { z } from 'zod';
import type { KindDepth } from '../../process/metrics.ts';

/** A scraper comes every 15 s or so; several of them, or a page that reloads, share one count. */
const DEPTH_REMEMBERED_MS = 5_000;
/** A count of a large backlog (1 000 000 rows take about a second) is kept for so many times what it took: a twentieth of one core. */
const COST_MULTIPLE = 20;
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
select kind, count(*) as unfinished, count(*) filter (where state = 'queued' or state = 'retrying' and run_at <= navbat_now()) as waiting,
  coalesce(extract(epoch from navbat_now() - min(run_at) filter (where state in ('queued', 'retrying') and run_at <= navbat_now())), 0) as oldest
from job where finished_at is null group by kind`;

/** Depth of each kind that has unfinished jobs, as of the last seconds. Calls that come together share one count. */
export function depthReader(
  pool: Pool,
  nowMs: () => number = () => performance.now(),
): () => Promise<readonly KindDepth[]> {
  let counted: Promise<readonly KindDepth[]> | undefined;
  let keptUntilMs = 0;
  return () => {
    const startedMs = nowMs();
    if (counted && startedMs < keptUntilMs) return counted;
    // Nobody counts again while this one runs.
    keptUntilMs = Infinity;
    counted = countDepth(pool)
      .catch(() => [])
      .finally(() => {
        keptUntilMs = startedMs + Math.max(DEPTH_REMEMBERED_MS, COST_MULTIPLE * (nowMs() - startedMs));
      });
    return counted;
  };
}

async function countDepth(pool: Pool): Promise<readonly KindDepth[]> {
  const client = await pool.connect();
  try {
    await client.query('begin read only');
    // One core, not all of them, however large the backlog.
    await client.query(
      `set local statement_timeout = ${STATEMENT_TIMEOUT_MS}; set local max_parallel_workers_per_gather = 0`,
    );
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
