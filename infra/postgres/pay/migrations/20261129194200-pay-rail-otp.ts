import { Migration } from '@mikro-orm/migrations';

/**
 * What a rail says of our account before anything is paid by it: whether it wants a one-time password for each payment. Nobody types one
 * for a batch.
 */
export class Migration20261129194200PayRailOtp extends Migration {
  override up(): void {
    for (const sql of [columns, said, runBlocked, start, noneForPublic]) this.addSql(sql);
  }
}

/** Dispatches that one call makes. */
const STARTS_MAX = 5_000;
/** Running batches that take turns. */
const BATCHES_MAX = 100;

/** By the indexes, whatever is known of the tables: a plan for each call took three quarters of its time. */
const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_mergejoin = off
set enable_hashjoin = off
set jit = off`;

const columns = `
alter table rail
  -- When it last told of our account.
  add column said_at timestamptz,
  -- Since when it wants a one-time password for each payment; null: it wants none, or was never asked.
  add column otp_since timestamptz`;

const said = `
-- It was asked, and this is its answer. Two at once: each waits for the row, and the later answer stands.
create function rail_said(of_rail text, wants_otp boolean) returns void
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s' as $$
begin
  update rail r set said_at = ledger_clock(), otp_since = case when wants_otp then coalesce(r.otp_since, ledger_clock()) end where r.id = of_rail;
  if not found then raise exception 'no such rail' using errcode = 'NB028'; end if;
end $$`;

const runBlocked = `
-- Why no batch of this rail begins to run now. Null: one may.
create or replace function payout_run_blocked(book uuid, of_rail text) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select case
    when exists (
      select from difference d where d.project_id = book and d.rail in ('all', of_rail) and d.closed_at is null and d.note is null)
    then 'difference'
    when exists (select from rail r where r.id = of_rail and r.otp_since is not null) then 'otp' end $$`;

const start = `
-- Keeps so many dispatches of a rail waiting, an item each, from its running batches in turn: their rows, their jobs and the turn of
-- their project in one commit. The backlog stays in payout_item, so that a pause touches few rows. Two at once wait for each other. A rail
-- that is stopped, or that wants a one-time password for each payment, begins nothing.
create or replace function dispatch_start(of_rail text, keep int) returns int
${definer} as $$
declare
  batches uuid[];
  room int;
  made uuid[];
begin
  perform ledger_refuse_old_snapshot();
  if keep not between 1 and ${STARTS_MAX} then raise exception 'at most ${STARTS_MAX} at once' using errcode = 'NB004'; end if;
  -- Mostly there is nothing to start: then nobody is made to wait.
  if not exists (select from payout_batch b where b.rail = of_rail and b.state = 'running'
      and exists (select from payout_item i where i.batch_id = b.id and i.state = 'ready')) then return 0; end if;
  -- Only those that have something to start: what is in doubt in a hundred others would keep it from beginning.
  with locked as (
    select b.id from payout_batch b
    where b.rail = of_rail and b.state = 'running' and exists (select from payout_item i where i.batch_id = b.id and i.state = 'ready')
    order by b.id limit ${BATCHES_MAX} for no key update)
  select array_agg(l.id) into batches from locked l;
  perform from rail r where r.id in ('all', of_rail) order by r.id for no key update;
  if exists (select from rail r where r.id in ('all', of_rail) and (r.stopped_at is not null or r.otp_since is not null)) then return 0; end if;
  select keep - count(*) into room from payout_dispatch d where d.rail = of_rail and d.state = 'waiting';
  if room <= 0 then return 0; end if;
  with turns as (
    select t.* from (
      select b.project_id, i.batch_id, i.n, i.net, i.payout_id, row_number() over (partition by i.batch_id order by i.n) place
      from (select * from payout_batch b where b.id = any (batches) and b.state = 'running') b
      cross join lateral (
        select * from payout_item i where i.batch_id = b.id and i.state = 'ready' order by i.n limit room) i) t
    order by t.place, t.batch_id limit room),
  named as (select t.*, uuidv7() id from turns t),
  dispatched as (
    insert into payout_dispatch (id, project_id, batch_id, rail, amount, items, next_at, job_id, made_at, state_at)
    select n.id, n.project_id, n.batch_id, of_rail, n.net, 1, ledger_clock(), uuidv7(), ledger_clock(), ledger_clock()
    from named n order by n.place, n.batch_id),
  taken as (
    update payout_item i set state = 'dispatched', dispatch_id = n.id from named n where i.batch_id = n.batch_id and i.n = n.n returning i.dispatch_id)
  select array_agg(t.dispatch_id) into made from taken t;
  if made is null then return 0; end if;
  perform dispatch_jobs(made);
  return cardinality(made);
end $$`;

const noneForPublic = `
revoke execute on function rail_said(text, boolean) from public`;
