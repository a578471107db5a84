import type { Pool } from 'pg';
import { addressAlarms, type OldData } from '../../../domain/earn/address/alarms.ts';
import {
  type CarriedPrice,
  dayAlarms,
  OPEN_TOO_LONG_MS,
  type OpenDays,
  priceAlarms,
} from '../../../domain/earn/day/alarms.ts';
import { closableDay, closesAt } from '../../../domain/earn/day/day.ts';
import { tashkentDay } from '../../../domain/pay/ledger/head.ts';

/** What staff see of earning: a price that nobody set, days that do not close, and data that is too old. */
export const earnOps = {
  alarms: async (pool: Pool, now: Date) => {
    const [carried, open, old] = await Promise.all([
      pool.query<CarriedPrice>(readCarried, [tashkentDay(now)]),
      pool.query<OpenDays>(readOpen, [closableDay(new Date(now.getTime() - OPEN_TOO_LONG_MS))]),
      pool.query<OldData>(readOldData),
    ]);
    return [
      ...priceAlarms(carried.rows),
      ...dayAlarms(open.rows.map((row) => ({ ...row, since: closesAt(row.day) }))),
      ...addressAlarms(old.rows),
    ];
  },
};

const readCarried = `
select day::text as day, tiyin_per_mb as "tiyinPerMb", set_at as since from price where day = $1::date and carried`;

const readOpen = `
select day::text as day, count(distinct person_id)::int as people from session_day
where closed_at is null and day <= $1::date group by 1 order by 1 limit 10`;

const readOldData = `
select count(*)::int as sessions, min(started_at) as since from traffic_session
where ended_at is null and reason = 'address-data-old' having count(*) > 0`;
