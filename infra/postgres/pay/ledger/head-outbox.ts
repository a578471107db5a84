import type { Pool } from 'pg';
import type { HeadOutbox, OutgoingHead } from '../../../../domain/pay/ledger/chain.ts';

/** Older heads are not sent any more: each newer one covers them. */
export const SENT_DAYS = 31;
/** Longer than a sending may take, so that nobody else begins it again while it lasts; doubled after each, up to an hour. */
const PAUSE_SECONDS = 20;
const PAUSE_SECONDS_MAX = 3_600;

export function headOutbox(pool: Pool): HeadOutbox {
  return {
    claim: async (sink, now) => {
      const limits = [SENT_DAYS, PAUSE_SECONDS, PAUSE_SECONDS_MAX];
      return (await pool.query<OutgoingHead>(claimHead, [sink, now, ...limits])).rows[0] ?? null;
    },
    sent: async (sink, { book, day }, now) => {
      await pool.query('select ledger_day_sent($1, $2::date, $3, $4)', [book, day, sink, now]);
    },
  };
}

const claimHead = `
select project_id as book, day, n_to as "nTo", jws from ledger_day_claim($1, $2, $3, $4, $5)`;
