import type pg from 'pg';
import { LINK_SMS_A_DAY, type TakeLinkSms } from '../../../../domain/pay/link/sms-limit.ts';

export const takeLinkSms =
  (pool: pg.Pool): TakeLinkSms =>
  async (jobId) => {
    const { rows } = await pool.query<{ taken: boolean }>('select payout_link_sms_take($1, $2) as taken', [
      jobId,
      LINK_SMS_A_DAY,
    ]);
    return rows[0]?.taken === true;
  };
