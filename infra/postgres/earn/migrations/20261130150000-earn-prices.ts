import { Migration } from '@mikro-orm/migrations';

/**
 * What a MB earns on a day of Tashkent. A price is for a day that has not begun, and stays once it has. A large change takes two people.
 *
 * Locks: the changes of a project one after the other, by an advisory lock; then rows of price.
 */
export class Migration20261130150000EarnPrices extends Migration {
  override up(): void {
    for (const sql of [tables, ...kept, shared, write, ask, end, carry, noneForPublic]) this.addSql(sql);
  }
}

/** As in domain/earn/price/price.ts. */
const TIYIN_PER_MB_MAX = 1_000_000;
const CHANGE_ALONE_PERCENT = 30;
/** Further ahead somebody mistyped the year. */
const DAYS_AHEAD_MAX = 366;
/** Days that one round of carrying makes up for: a year without the reconciler. */
const CARRIED_MAX = 366;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const tables = `
create table price (
  project_id uuid not null references ledger_book,
  day date not null,
  -- A MB is 10^6 bytes.
  tiyin_per_mb int not null check (tiyin_per_mb between 1 and ${TIYIN_PER_MB_MAX}),
  -- Null where it is that of the day before, because nobody set one.
  set_by uuid references staff,
  -- The second person, where it took one.
  agreed_by uuid references staff,
  carried boolean not null default false,
  set_at timestamptz not null,
  primary key (project_id, day),
  check (carried = (set_by is null)),
  check (agreed_by <> set_by)
);

create table price_change (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  day date not null,
  tiyin_per_mb int not null check (tiyin_per_mb between 1 and ${TIYIN_PER_MB_MAX}),
  state text not null default 'asked' check (state in ('asked', 'agreed', 'withdrawn')),
  asked_by uuid not null references staff,
  asked_at timestamptz not null,
  ended_by uuid references staff,
  ended_at timestamptz,
  check ((state = 'asked') = (ended_at is null)),
  check (state <> 'agreed' or ended_by <> asked_by)
);
create index price_change_of on price_change (project_id, id)`;

const kept = [
  `
create function earn_refuse_change() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  raise exception '% on %: what was paid by it stays', lower(tg_op), tg_table_name using errcode = 'NB009';
end $$`,
  `
create trigger price_kept before delete or truncate or update of project_id, day on price
  for each statement execute function earn_refuse_change()`,
  `
-- Of a day that has begun. The definer's functions say it too, and first.
create function price_refuse_begun() returns trigger ${definer} as $$
begin
  if old.day <= (ledger_clock() at time zone 'Asia/Tashkent')::date then
    raise exception 'the day has begun' using errcode = 'NB040';
  end if;
  return new;
end $$`,
  `
create trigger price_begun before update on price for each row execute function price_refuse_begun()`,
  `
create trigger price_change_kept before delete or truncate or update of id, project_id, day, tiyin_per_mb, asked_by, asked_at on price_change
  for each statement execute function earn_refuse_change()`,
];

const shared = `
-- In force on that day; null before the first one.
create function price_of(book uuid, of_day date) returns int language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select p.tiyin_per_mb from price p where p.project_id = book and p.day <= of_day order by p.day desc limit 1 $$`;

const write = `
-- Inner: of a day that has not begun. Two at once: whoever holds the lock of the project's prices is first, the other writes over it.
create function price_write(book uuid, of_day date, tiyin int, by_staff uuid, agreed uuid) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  insert into price (project_id, day, tiyin_per_mb, set_by, agreed_by, set_at) values (book, of_day, tiyin, by_staff, agreed, ledger_clock())
    on conflict (project_id, day) do update
    set tiyin_per_mb = excluded.tiyin_per_mb, set_by = excluded.set_by, agreed_by = excluded.agreed_by, carried = false, set_at = excluded.set_at;
end $$`;

const ask = `
-- Sets the price of a day, or asks for a second person where it differs by more than ${CHANGE_ALONE_PERCENT} % from the price of today: so one
-- person cannot climb day by day. The first price of all has nothing to differ from.
create function price_ask(book uuid, of_day date, tiyin int, by_staff uuid) returns table (outcome text, change uuid)
${definer} as $$
#variable_conflict use_column
declare
  today constant date := (ledger_clock() at time zone 'Asia/Tashkent')::date;
  in_force int;
begin
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  perform pg_advisory_xact_lock(hashtextextended('price:' || book, 0));
  in_force := price_of(book, today);
  if of_day <= today and in_force is not null then return query select 'day-begun', null::uuid; return; end if;
  if of_day < today then return query select 'day-begun', null::uuid; return; end if;
  if of_day > today + ${DAYS_AHEAD_MAX} then return query select 'day-too-far', null::uuid; return; end if;
  if in_force is not null and abs(tiyin - in_force)::bigint * 100 > in_force::bigint * ${CHANGE_ALONE_PERCENT} then
    return query insert into price_change as c (project_id, day, tiyin_per_mb, asked_by, asked_at)
      values (book, of_day, tiyin, by_staff, ledger_clock()) returning 'asked', c.id;
    return;
  end if;
  perform price_write(book, of_day, tiyin, by_staff, null);
  return query select 'set', null::uuid;
end $$`;

const end = `
-- Another person agrees, or anybody withdraws it. Twice at once: the second finds it ended.
create function price_end(book uuid, of_change uuid, by_staff uuid, agrees boolean) returns text
${definer} as $$
#variable_conflict use_column
declare
  c price_change%rowtype;
begin
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  perform pg_advisory_xact_lock(hashtextextended('price:' || book, 0));
  select x.* into c from price_change x where x.id = of_change and x.project_id = book for no key update;
  if c.id is null then return 'unknown-change'; end if;
  if c.state <> 'asked' then return 'change-ended'; end if;
  if agrees and c.asked_by = by_staff then return 'own-change'; end if;
  if agrees and c.day <= (ledger_clock() at time zone 'Asia/Tashkent')::date then return 'day-begun'; end if;
  update price_change x set state = case when agrees then 'agreed' else 'withdrawn' end, ended_by = by_staff, ended_at = ledger_clock() where x.id = c.id;
  if agrees then perform price_write(book, c.day, c.tiyin_per_mb, c.asked_by, by_staff); end if;
  return 'set';
end $$`;

const carry = `
-- Each day that has begun has a row: where nobody set one, that of the day before. Answers the days that it carried to.
create function price_carry(book uuid) returns setof date
${definer} as $$
declare
  today constant date := (ledger_clock() at time zone 'Asia/Tashkent')::date;
begin
  if exists (select from price p where p.project_id = book and p.day = today) then return; end if;
  perform pg_advisory_xact_lock(hashtextextended('price:' || book, 0));
  return query
    with gaps as (
      select d::date as day from generate_series(
        greatest((select min(p.day) from price p where p.project_id = book), today - ${CARRIED_MAX})::timestamp, today::timestamp, interval '1 day') d
      where not exists (select from price p where p.project_id = book and p.day = d::date))
    insert into price as n (project_id, day, tiyin_per_mb, carried, set_at)
      select book, g.day, price_of(book, g.day), true, ledger_clock() from gaps g order by g.day
      on conflict do nothing returning n.day;
end $$`;

const noneForPublic = `
revoke execute on function
  earn_refuse_change(), price_refuse_begun(), price_of(uuid, date), price_write(uuid, date, int, uuid, uuid), price_ask(uuid, date, int, uuid),
  price_end(uuid, uuid, uuid, boolean), price_carry(uuid)
from public`;
