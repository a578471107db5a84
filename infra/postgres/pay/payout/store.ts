import type pg from 'pg';
import { PayoutId } from '../../../../domain/pay/ids.ts';
import type { PayoutsDue } from '../../../../domain/pay/payout/port.ts';

export function payoutsDue(pool: pg.Pool): PayoutsDue {
  return {
    confirm: async (limit) => {
      const { rows } = await pool.query<{ done: number }>('select payout_confirm_due($1) as done', [limit]);
      return rows[0]?.done ?? 0;
    },
    expire: async (limit) => {
      const { rows } = await pool.query<{ id: string }>('select payout_expire($1) as id', [limit]);
      return rows.map(({ id }) => PayoutId.parse(id));
    },
  };
}
