import { Migration } from '@mikro-orm/migrations';

/** One person does not climb with the price from day to day, and what two agreed to is changed by two. */
export class Migration20261130180200EarnPriceClimb extends Migration {
  override up(): void {
    this.addSql(ask);
  }
}

/** As in domain/earn/price/price.ts. */
const CHANGE_ALONE_PERCENT = 30;
/** Further ahead somebody mistyped the year. */
const DAYS_AHEAD_MAX = 366;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const ask = `
-- Sets the price of a day, or asks for a second person where it differs by more than ${CHANGE_ALONE_PERCENT} % from the last price until that day that
-- two agreed to, or else from the first of all: so one person cannot climb day by day. What two agreed to is changed by two. The first price of
-- all has nothing to differ from.
create or replace function price_ask(book uuid, of_day date, tiyin int, by_staff uuid) returns table (outcome text, change uuid)
${definer} as $$
#variable_conflict use_column
declare
  today constant date := (ledger_clock() at time zone 'Asia/Tashkent')::date;
  in_force int;
  base price%rowtype;
begin
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  perform pg_advisory_xact_lock(hashtextextended('price:' || book, 0));
  in_force := price_of(book, today);
  if of_day <= today and in_force is not null then return query select 'day-begun', null::uuid; return; end if;
  if of_day < today then return query select 'day-begun', null::uuid; return; end if;
  if of_day > today + ${DAYS_AHEAD_MAX} then return query select 'day-too-far', null::uuid; return; end if;
  select p.* into base from price p where p.project_id = book and p.day <= of_day
    order by p.agreed_by is null, case when p.agreed_by is null then p.day - of_day else of_day - p.day end limit 1;
  if (base.agreed_by is not null and base.day = of_day)
     or abs(tiyin - base.tiyin_per_mb)::bigint * 100 > base.tiyin_per_mb::bigint * ${CHANGE_ALONE_PERCENT} then
    return query insert into price_change as c (project_id, day, tiyin_per_mb, asked_by, asked_at)
      values (book, of_day, tiyin, by_staff, ledger_clock()) returning 'asked', c.id;
    return;
  end if;
  perform price_write(book, of_day, tiyin, by_staff, null);
  -- What two agreed to is in price_change.
  insert into audit (at, staff_id, actor, action, subject, detail)
    select ledger_clock(), s.id, s.email, 'price.set', of_day::text, jsonb_build_object('did', 'set', 'tiyin_per_mb', tiyin) from staff s where s.id = by_staff;
  return query select 'set', null::uuid;
end $$`;
