import { Migration } from '@mikro-orm/migrations';

/** Before the first price there is none to carry. */
export class Migration20261130163200EarnCarry extends Migration {
  override up(): void {
    this.addSql(carry);
  }
}

/** Days that one round of carrying makes up for: a year without the reconciler. */
const CARRIED_MAX = 366;

const carry = `
-- Each day that has begun has a row: where nobody set one, that of the day before. Answers the days that it carried to; none before the first price.
create or replace function price_carry(book uuid) returns setof date
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s' as $$
declare
  today constant date := (ledger_clock() at time zone 'Asia/Tashkent')::date;
  first constant date := (select min(p.day) from price p where p.project_id = book);
begin
  if first is null or exists (select from price p where p.project_id = book and p.day = today) then return; end if;
  perform pg_advisory_xact_lock(hashtextextended('price:' || book, 0));
  return query
    with gaps as (
      select d::date as day from generate_series(greatest(first, today - ${CARRIED_MAX})::timestamp, today::timestamp, interval '1 day') d
      where not exists (select from price p where p.project_id = book and p.day = d::date))
    insert into price as n (project_id, day, tiyin_per_mb, carried, set_at)
      select book, g.day, price_of(book, g.day), true, ledger_clock() from gaps g order by g.day
      on conflict do nothing returning n.day;
end $$`;
