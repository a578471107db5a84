import type { Pool } from 'pg';
import type { HeadOutbox, OutgoingHead } from '../../../../domain/pay/ledger/chain.ts';

/** As in `ledger_day_claim`: older heads are not sent any more. */
export const SENT_DAYS = 31;

/** When a head was sent, and when it is due again, the database says: no caller could put one off for ever. */
export function headOutbox(pool: Pool): HeadOutbox {
  return {
    claim: async (sink) => (await pool.query<OutgoingHead>(claimHead, [sink])).rows[0] ?? null,
    sent: async (sink, { book, day }) => {
      await pool.query('select ledger_day_sent($1, $2::date, $3)', [book, day, sink]);
    },
  };
}

const claimHead = `
select project_id as book, day, n_to as "nTo", jws from ledger_day_claim($1)`;
