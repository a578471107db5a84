import type { Pool } from 'pg';
import { chainAlarms, type UnsentHead } from '../../../domain/pay/ledger/alarms.ts';
import { tashkentDay } from '../../../domain/pay/ledger/head.ts';
import { chain } from './ledger/chain.ts';
import { SENT_DAYS } from './ledger/head-outbox.ts';

/** What staff see of money: what stands still of the ledger. */
export const payOps = {
  alarms: async (pool: Pool, now: Date) => {
    const today = tashkentDay(now);
    const [books, unsent] = await Promise.all([
      chain(pool).books(today),
      pool.query<UnsentHead>(readUnsent, [today, SENT_DAYS]),
    ]);
    return chainAlarms(books, unsent.rows, now);
  },
};

/** Of where nothing is sent any more there is no row. */
const readUnsent = `
select s.project_id as book, s.sink, min(s.day)::text as day
from ledger_day_sending s join ledger_day d on d.project_id = s.project_id and d.day = s.day
where case s.sink when 'chat' then d.chat_sent_at else d.witness_sent_at end is null and s.day >= $1::date - $2::int
group by s.project_id, s.sink order by s.project_id, s.sink`;
