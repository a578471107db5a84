import type pg from 'pg';
import type { TrafficRounds } from '../../../../domain/earn/traffic/port.ts';

/** What time brings to sessions. */
export const trafficRounds = (pool: pg.Pool): TrafficRounds => ({
  rejob: async () => {
    const { rows } = await pool.query<{ n: number }>('select traffic_rejob() as n');
    return rows[0]?.n ?? 0;
  },
  expire: async () => {
    const { rows } = await pool.query<{ n: number }>('select traffic_expire() as n');
    return rows[0]?.n ?? 0;
  },
  partitions: async () => {
    await pool.query('select traffic_partitions(navbat_now())');
  },
});
