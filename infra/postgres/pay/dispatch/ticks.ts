import type pg from 'pg';
import type { RailId } from '../../../../domain/pay/ids.ts';
import type { DispatchRounds } from '../../../../domain/pay/dispatch/port.ts';

/** What one round does at the most: some tens of milliseconds. */
const REJOBS_MAX = 1_000;
const BATCHES_MAX = 100;

/** Keeps what a rail said of our account. */
export const railSaid =
  (pool: pg.Pool) =>
  async (rail: RailId, wantsOtp: boolean): Promise<void> => {
    await pool.query('select rail_said($1, $2)', [rail, wantsOtp]);
  };

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
