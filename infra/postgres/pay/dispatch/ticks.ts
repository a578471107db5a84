import type pg from 'pg';

/** What one round does at the most: some tens of milliseconds. */
const REJOBS_MAX = 1_000;
const BATCHES_MAX = 100;

/** What keeps dispatches going, over a pool of its own. Each round is safe beside that of another process. */
export interface DispatchRounds {
  /** Makes dispatches of running batches, until so many wait; answers how many it made. */
  start(keep: number): Promise<number>;
  /** Gives a job to each open dispatch that has none; answers how many. */
  rejob(): Promise<number>;
  /** Ends the batches whose last line has its end; answers them. */
  finishBatches(): Promise<readonly string[]>;
}

/** Of the rail whose payments are one each. */
export function dispatchRounds(pool: pg.Pool): DispatchRounds {
  return {
    start: async (keep) => {
      const { rows } = await pool.query<{ n: number }>(`select dispatch_start('multicard', $1) n`, [keep]);
      return rows[0]?.n ?? 0;
    },
    rejob: async () => {
      const { rows } = await pool.query<{ n: number }>(`select dispatch_rejob(${REJOBS_MAX}) n`);
      return rows[0]?.n ?? 0;
    },
    finishBatches: async () => {
      const { rows } = await pool.query<{ id: string }>(`select dispatch_finish_batches(${BATCHES_MAX}) id`);
      return rows.map(({ id }) => id);
    },
  };
}
