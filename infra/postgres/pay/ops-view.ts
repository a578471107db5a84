import type { Pool } from 'pg';
import { dispatchAlarms, type StoppedRail, type StuckPayments } from '../../../domain/pay/dispatch/alarms.ts';
import { overdueAlarms, OVERDUE_MS, type Overdue } from '../../../domain/pay/payout/alarms.ts';
import { linkAlarms, type SpentLinkSms, type UnreachablePayees } from '../../../domain/pay/link/alarms.ts';
import { LINK_SMS_A_DAY } from '../../../domain/pay/link/sms-limit.ts';
import { chainAlarms, type UnsentHead } from '../../../domain/pay/ledger/alarms.ts';
import { tashkentDay } from '../../../domain/pay/ledger/head.ts';
import { differenceAlarms, type Unexplained } from '../../../domain/pay/reconcile/alarms.ts';
import { chain } from './ledger/chain.ts';
import { SENT_DAYS } from './ledger/head-outbox.ts';
import { reachedNobody } from './list/reached.ts';

/** What staff see of money: what stands still of the ledger, and of the payments. */
export const payOps = {
  alarms: async (pool: Pool, now: Date) => {
    const today = tashkentDay(now);
    const [books, unsent, stopped, stuck, unexplained, overdue, unreachable, spent] = await Promise.all([
      chain(pool).books(today),
      pool.query<UnsentHead>(readUnsent, [today, SENT_DAYS]),
      pool.query<StoppedRail>(readStopped),
      pool.query<StuckPayments>(readStuck),
      pool.query<Unexplained>(readUnexplained),
      pool.query<Overdue>(readOverdue, [new Date(now.getTime() - OVERDUE_MS)]),
      pool.query<UnreachablePayees>(readUnreachable),
      pool.query<SpentLinkSms>(readSpentSms, [today, LINK_SMS_A_DAY]),
    ]);
    return [
      ...chainAlarms(books, unsent.rows, now),
      ...dispatchAlarms(stopped.rows, stuck.rows),
      ...differenceAlarms(unexplained.rows),
      ...overdueAlarms(overdue.rows),
      ...linkAlarms(unreachable.rows, spent.rows),
    ];
  },
};

/** Of where nothing is sent any more there is no row. */
const readUnsent = `
select s.project_id as book, s.sink, min(s.day)::text as day
from ledger_day_sending s join ledger_day d on d.project_id = s.project_id and d.day = s.day
where case s.sink when 'chat' then d.chat_sent_at else d.witness_sent_at end is null and s.day >= $1::date - $2::int
group by s.project_id, s.sink order by s.project_id, s.sink`;

const readStopped = `
select id::text, stopped_at as "stoppedAt", stopped_by::text as "stoppedBy", reason::text from rail where stopped_at is not null
union all
select id::text, otp_since, 'navbat', 'the rail wants a one-time password for each payment; it goes on by itself once it does not'
from rail where otp_since is not null and stopped_at is null order by 1`;

const readStuck = `
select x.rail::text, count(*)::int as count, min(x.since) as since from (
  select d.rail, d.state_at as since from payout_dispatch d where d.state = 'stuck'
  union all
  select 'bank-file', u.since from ledger_book b, bank_items_unheard(b.project_id) u) x
group by 1 order by 1`;

const readUnexplained = `
select rail::text, count(*)::int as count, min(found_at) as since from difference where closed_at is null and note is null group by 1 order by 1`;

const readOverdue = `
select count(*)::int as count, min(expires_at) as since from payout
where expires_at < $1 and state in ('confirming', 'awaiting-card') having count(*) > 0`;

const readUnreachable = `
select count(*)::int as count, min(coalesce(l.failed_at, l.sent_at)) as since
from payout p join payout_link l on l.payout_id = p.id and l.used_at is null and l.revoked_at is null
where p.state = 'awaiting-card' and ${reachedNobody('l')} having count(*) > 0`;

/** Their day is one of Tashkent. */
const readSpentSms = `
select o.slug::text as project, d.links, d.day::timestamp at time zone 'Asia/Tashkent' as since
from payout_link_sms_day d join project o on o.id = d.funder where d.day = $1::date and d.links >= $2 order by 1`;
