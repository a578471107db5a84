import { Migration } from '@mikro-orm/migrations';

/** What time brings, row by row: one that is refused waits, and stops no other. */
export class Migration20261129194000PayDue extends Migration {
  override up(): void {
    for (const sql of [runBlocked, asks, runDue, confirmDue, expire, noneForPublic]) this.addSql(sql);
  }
}

/** What `ledger_open` and `ledger_post` take in one call. */
const POSTS_MAX = 1_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const runBlocked = `
-- Why no batch of this rail begins to run now. Null: one may.
create function payout_run_blocked(book uuid, of_rail text) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select case when exists (
      select from difference d where d.project_id = book and d.rail in ('all', of_rail) and d.closed_at is null and d.note is null)
    then 'difference' end $$`;

const asks = `
-- No new batch of a rail begins while a difference of it is unexplained; one that runs goes on. None is closed while one of its payments is
-- a difference.
create or replace function payout_batch_asks_differences() returns trigger ${inner} as $$
declare
  blocked text;
begin
  if old.state = 'approved' and new.state = 'running' then
    blocked := payout_run_blocked(new.project_id, new.rail);
    if blocked is not null then raise exception 'no batch of this rail begins now' using errcode = 'NB031', detail = blocked; end if;
  end if;
  if old.state = 'done' and new.state = 'closed' and exists (
      select from difference d join payout_item i on i.payout_id = d.payout_id and i.batch_id = new.id where d.closed_at is null) then
    raise exception 'a payment of it is a difference' using errcode = 'NB027', detail = 'difference';
  end if;
  return new;
end $$`;

const runDue = `
-- Starts what was planned, in the name of who planned it. A batch of a rail by which none begins now (payout_run_blocked) stays planned, and
-- takes no other's place. The plan ends where its planner may not run any more, and where its rows are not those that were approved. Two at
-- once take different batches; nothing starts twice.
create or replace function batch_run_due(most int) returns setof uuid
${definer} as $$
declare
  due uuid[];
  of_one uuid;
  b payout_batch%rowtype;
  planner uuid;
begin
  perform ledger_refuse_old_snapshot();
  with found as (
    select x.id from payout_batch x
    where x.state = 'approved' and x.run_at <= navbat_now() and payout_run_blocked(x.project_id, x.rail) is null
    order by x.id limit most for no key update of x skip locked)
  select array_agg(f.id) into due from found f;
  foreach of_one in array coalesce(due, '{}') loop
    select x.* into b from payout_batch x where x.id = of_one;
    select a.staff_id into planner from payout_action a where a.batch_id = b.id and a.action = 'plan' order by a.version desc limit 1;
    if not exists (select from staff s where s.id = planner and s.disabled_at is null and s.role = 'finance') then
      update payout_batch x set run_at = null, version = x.version + 1 where x.id = b.id;
      continue;
    end if;
    begin
      perform payout_batch_refuse_changed(b);
      update payout_batch x set state = 'running', run_at = null, started_at = ledger_clock(), version = x.version + 1 where x.id = b.id;
      perform payout_batch_end(b, planner, 'run', 'as planned');
      return next b.id;
    exception
      -- A difference was found since the look above.
      when sqlstate 'NB031' then null;
      when sqlstate 'NB024' then
        update payout_batch x set run_at = null, version = x.version + 1 where x.id = b.id;
        perform payout_batch_end(b, planner, 'plan-ended', 'its rows are not those that were approved');
    end;
  end loop;
end $$`;

const confirmDue = `
-- Answers that their own commit could not act on, or that came before their challenge was known. For housekeeping. All payouts are locked
-- before the book is: two at once take different rows, and neither waits for the other's while it holds the book. One that money refuses
-- (NB…) is left as it is: payouts that are overdue are an alarm.
create or replace function payout_confirm_due(most int) returns int
${definer} as $$
declare
  done int := 0;
  of_one uuid;
  answered uuid[];
begin
  with found as (
    select p.verification_id from payout p
    where p.state = 'confirming' and exists (select from approval a where a.verification_id = p.verification_id)
    order by p.id limit most for no key update skip locked)
  select array_agg(f.verification_id) into answered from found f;
  foreach of_one in array coalesce(answered, '{}') loop
    begin
      if payout_confirm(of_one) <> 'confirming' then done := done + 1; end if;
    exception when others then
      if sqlstate not like 'NB%' then raise; end if;
    end;
  end loop;
  return done;
end $$`;

const expire = `
-- Nobody answered, or no card was bound, in time: the money goes back. Two at once take different rows. Where money refuses a whole book's
-- (NB…), they go one by one, and the one that is refused is left as it is: payouts that are overdue are an alarm.
create or replace function payout_expire(most int) returns setof uuid
${definer} as $$
declare
  book uuid;
  late uuid[];
  of_one uuid;
begin
  perform ledger_refuse_old_snapshot();
  for book, late in
    with found as (
      select p.id, p.project_id from payout p
      where p.expires_at <= navbat_now() and p.state in ('confirming', 'awaiting-card')
      order by p.id limit least(most, ${POSTS_MAX}) for no key update skip locked)
    select f.project_id, array_agg(f.id) from found f group by 1 order by 1
  loop
    begin
      perform payout_expire_these(book, late);
      return query select unnest(late);
      continue;
    exception when others then
      if sqlstate not like 'NB%' then raise; end if;
    end;
    foreach of_one in array late loop
      begin
        perform payout_expire_these(book, array[of_one]);
        return next of_one;
      exception when others then
        if sqlstate not like 'NB%' then raise; end if;
      end;
    end loop;
  end loop;
end $$;

-- The caller has locked them.
create function payout_expire_these(book uuid, late uuid[]) returns void
${inner} as $$
begin
  update payout p set state = 'cancelled', reason = 'expired' where p.id = any (late);
  perform payout_post(book, late, 'release', 'housekeeping');
end $$`;

const noneForPublic = `
revoke execute on function payout_run_blocked(uuid, text), payout_expire_these(uuid, uuid[]) from public`;
