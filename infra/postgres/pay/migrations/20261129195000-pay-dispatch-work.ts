import { Migration } from '@mikro-orm/migrations';

/**
 * Less work for each payment: a draft that is confirmed in the same commit is written once, and news of what is known writes nothing. What
 * both allow is as it was in 20261129181100.
 */
export class Migration20261129195000PayDispatchWork extends Migration {
  override up(): void {
    for (const sql of [move, look]) this.addSql(sql);
  }
}

/** Three transfers each: within what ledger_post takes in one call. */
const MOVES_MAX = 200;
/** A worker has a second to begin a call and ten for its answer. `CALL_LOST_MS` in domain/pay/dispatch/decide.ts. */
const LOST_AFTER = '15 seconds';
/** So many that wait for people mean that the rail, and not a payment, is at fault. */
const STUCK_MAX = 20;

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

const move = `
-- Closes the call that each names, if any, and moves its dispatch. 'moved'; 'confirming', with the call that it opened in the same commit,
-- where it was to be confirmed and everything is open; 'lost', where another has closed the call or moved the dispatch: nothing changed.
-- Raises NB030 where the calls do not allow it.
create or replace function dispatch_move(moves jsonb)
returns table (item int, result text, call int, opened_at timestamptz)
${definer} as $$
#variable_conflict use_column
declare
  ids uuid[];
  r record;
  d payout_dispatch%rowtype;
  c rail_call%rowtype;
  at timestamptz;
  is_confirmed boolean;
  ended uuid[] := '{}';
begin
  perform ledger_refuse_old_snapshot();
  if jsonb_array_length(moves) not between 1 and ${MOVES_MAX} then raise exception 'at most ${MOVES_MAX} a call' using errcode = 'NB004'; end if;
  select array_agg(distinct (m ->> 'dispatch')::uuid) into ids from jsonb_array_elements(moves) m;
  perform from payout_batch b where b.id in (select x.batch_id from payout_dispatch x where x.id = any (ids)) order by b.id for no key update;
  perform from rail x where x.id = 'all' or x.id in (select y.rail from payout_dispatch y where y.id = any (ids)) order by x.id for no key update;
  perform from payout_dispatch x where x.id = any (ids) order by x.id for no key update;
  at := ledger_clock();
  for r in
    select w.* from rows from (jsonb_to_recordset(moves) as (dispatch uuid, version int, call int, outcome text, status text, because text, answer jsonb,
      rail_uuid text, commission bigint, "to" text, next_at timestamptz, reason text, confirms boolean, stops_rail text)) with ordinality
      w(dispatch, version, call, outcome, status, because, answer, rail_uuid, commission, target, next_at, reason, confirms, stops_rail, i)
    order by w.i
  loop
    item := r.i; result := 'lost'; call := null; opened_at := null;
    select x.* into d from payout_dispatch x where x.id = r.dispatch;
    if d.id is null then raise exception 'no such dispatch' using errcode = 'NB028'; end if;
    c := null;
    if r.call is null then
      if d.version <> r.version or exists (select from rail_call x where x.dispatch_id = d.id and x.closed_at is null) then return next; continue; end if;
    else
      select x.* into c from rail_call x where x.dispatch_id = d.id and x.n = r.call;
      if c.n is null or c.closed_at is not null or r.outcome = 'worker-lost' and c.opened_at > at - interval '${LOST_AFTER}' then return next; continue; end if;
      update rail_call x set closed_at = greatest(at, x.opened_at), outcome = r.outcome, status = r.status, because = r.because, answer = r.answer
        where x.dispatch_id = d.id and x.n = r.call returning x.* into c;
    end if;
    if not coalesce(dispatch_may(d, r.target, c), false) then
      raise exception 'a dispatch that is % can not become % so', d.state, r.target using errcode = 'NB030', detail = d.state;
    end if;
    d.state := r.target;
    d.rail_uuid := coalesce(r.rail_uuid, d.rail_uuid);
    if r.stops_rail is not null then perform dispatch_stop_rail(d.rail, r.stops_rail); end if;
    -- The switches are read again: a stop that was answered is seen here. One row is written in place of two.
    is_confirmed := r.confirms and d.state = 'drafted' and dispatch_confirmable(d)
      and (select b.state = 'running' from payout_batch b where b.id = d.batch_id)
      and not exists (select from rail x where x.id in ('all', d.rail) and x.stopped_at is not null);
    update payout_dispatch x set state = case when is_confirmed then 'confirming' else r.target end, reason = r.reason, rail_uuid = d.rail_uuid,
        commission = coalesce(r.commission, x.commission), next_at = r.next_at
      where x.id = d.id returning x.* into d;
    if d.state = 'stuck' and (select count(*) from payout_dispatch x where x.rail = d.rail and x.state = 'stuck') >= ${STUCK_MAX} then
      perform dispatch_stop_rail(d.rail, 'too-many-stuck');
    end if;
    result := 'moved';
    if is_confirmed then
      c := dispatch_open_call(d, 'confirm', d.attempt);
      result := 'confirming'; call := c.n; opened_at := c.opened_at;
    end if;
    if d.state in ('paid', 'failed', 'returned') then ended := ended || d.id; end if;
    return next;
  end loop;
  -- The book comes last.
  perform dispatch_end(ended, 'dispatch');
end $$`;

const look = `
-- Somebody says that there is news of a payment: it is read sooner, and nothing else is believed. Answers its job. Most news is of what is
-- known: then nothing is written. References are found first and by themselves: with a table of dispatches that was young at its first
-- call, a plan that is kept might go through all of them each time.
create or replace function dispatch_look(of_rail text, of_reference text) returns uuid
${definer} as $$
declare
  found_dispatch uuid;
  its_job uuid;
begin
  select c.dispatch_id into found_dispatch from rail_call c where c.reference = of_reference limit 1;
  if not exists (select from payout_dispatch d
      where d.id = found_dispatch and d.rail = of_rail and d.state in ('unknown', 'asking') and d.next_at > ledger_clock()) then return null; end if;
  update payout_dispatch d set next_at = ledger_clock()
    where d.id = found_dispatch and d.state in ('unknown', 'asking') and d.next_at > ledger_clock() returning d.job_id into its_job;
  update job j set run_at = ledger_clock() where j.id = its_job and j.finished_at is null;
  return its_job;
end $$`;
