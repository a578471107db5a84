import type pg from 'pg';
import type { TrafficRounds } from '../../../../domain/earn/traffic/port.ts';

/** What time brings to sessions. */
export const trafficRounds = (pool: pg.Pool): TrafficRounds => ({
  rejob: () => countOf(pool, 'select traffic_rejob() as n'),
  expire: () => countOf(pool, 'select traffic_expire() as n'),
  partitions: async () => {
    await pool.query('select traffic_partitions(navbat_now())');
  },
});

async function countOf(pool: pg.Pool, sql: string): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(sql);
  return rows[0]?.n ?? 0;
}
