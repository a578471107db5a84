import { Migration } from '@mikro-orm/migrations';

/**
 * Where a dispatch goes, and the money with it, in one commit: from a call that ended, from people's decision, or because its line was
 * taken out. What allows an arrow is read from the calls that are kept, whatever the caller says.
 */
export class Migration20261129181100PayDispatchMoves extends Migration {
  override up(): void {
    for (const sql of [stopRail, end, arrow, move, look, noneForPublic]) this.addSql(sql);
  }
}

/** 1 tiyin in the ledger's unit. */
const MICROS = 10_000;
/** Three transfers each: within what ledger_post takes in one call. */
const MOVES_MAX = 200;
/** A worker has a second to begin a call and ten for its answer. `CALL_LOST_MS` in domain/pay/dispatch/decide.ts. */
const LOST_AFTER = '15 seconds';
/** `DRAFTS_MAX` there. */
const DRAFTS_MAX = 5;
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
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const stopRail = `
-- By itself. The first reason stays. Its row is locked.
create function dispatch_stop_rail(of_rail text, why text) returns void
${inner} as $$
begin
  update rail r set stopped_at = ledger_clock(), stopped_by = 'navbat', reason = why where r.id = of_rail and r.stopped_at is null;
end $$`;

const end = `
-- The end of these payouts, of one rail and book: 'paid', 'failed', or 'returned' where they were paid. Their items and rows change, what was
-- held is settled or given back, and who is told is written. charged: dispatches whose commission is posted with it. why: null takes the
-- reason of the dispatch. The caller holds the dispatches.
create function payout_end(book uuid, of_rail text, payouts uuid[], charged uuid[], outcome text, tells boolean, actor text, why text) returns void
${inner} as $$
declare
  before constant text := case outcome when 'returned' then 'paid' else 'dispatched' end;
  ended int;
  accounts bigint[]; clearing bigint; fees bigint; commissions bigint;
  keys text[]; kinds text[]; debits bigint[]; credits bigint[]; amounts bigint[]; subjects uuid[];
begin
  -- Said twice of the state, so that payout_item_once finds them.
  perform from payout_item i where i.payout_id = any (payouts) and i.state = before and i.state not in ('dropped', 'failed') order by i.batch_id, i.n for no key update;
  perform from payout p where p.id = any (payouts) order by p.id for no key update;
  with changed as (
    update payout_item i set state = outcome where i.payout_id = any (payouts) and i.state = before and i.state not in ('dropped', 'failed') returning i.payout_id, i.dispatch_id)
  update payout p set state = outcome, reason = case when outcome <> 'paid' then coalesce(why, d.reason) end
    from changed c join payout_dispatch d on d.id = c.dispatch_id where p.id = c.payout_id;
  get diagnostics ended = row_count;
  if ended is distinct from cardinality(payouts) then
    raise exception 'not all of these items are %', before using errcode = 'NB030', detail = before;
  end if;
  if tells then
    insert into payout_notice (payout_id, what, at) select p, 'receipt-' || outcome, ledger_clock() from unnest(payouts) p on conflict do nothing;
  end if;
  if outcome = 'returned' then
    -- Whoever gave the money back once is asked before more goes there.
    update payout_destination x set distrusted_at = ledger_clock()
      where x.id in (select p.destination_id from payout p where p.id = any (payouts)) and x.distrusted_at is null;
  end if;
  if outcome = 'failed' then
    perform payout_post(book, payouts, 'release', actor);
    return;
  end if;
  select array_agg(o.account order by o.item) into accounts
    from (select array_agg(case when p.funder is null then case outcome when 'paid' then 'held' else 'available' end
                               else case outcome when 'paid' then 'funded-held' else 'funded' end end order by p.id) classes,
                 array_agg(coalesce(p.funder, p.person_id) order by p.id) owners
          from payout p where p.id = any (payouts)) w,
      ledger_open(book, w.classes, w.owners, array_fill(null::text, array[cardinality(w.classes)])) o;
  select min(o.account) filter (where o.item = 1), min(o.account) filter (where o.item = 2), min(o.account) filter (where o.item = 3)
    into clearing, fees, commissions
    from ledger_open(book, array['clearing', 'fee', 'commission'], array[null, null, null]::uuid[], array[of_rail, null, null]) o;
  with ending as (
    select p.id, p.net, p.fee, accounts[(row_number() over (order by p.id))::int] as account from payout p where p.id = any (payouts)),
  posts as (
    select case outcome when 'paid' then 'resolve:' else 'return:' end || x.id as key, case outcome when 'paid' then 'pay' else 'return' end as kind,
           x.account, clearing as other, x.net as amount, x.id as subject, 1 as place from ending x
    union all
    select case outcome when 'paid' then 'fee:' else 'return-fee:' end || x.id, case outcome when 'paid' then 'fee' else 'return' end,
           x.account, fees, x.fee, x.id, 2 from ending x where x.fee > 0
    union all
    -- What the rail takes stays taken where the payment comes back, unless its statement says otherwise.
    select 'commission:' || d.id, 'commission', commissions, clearing, d.commission, d.id, 3
      from payout_dispatch d where d.id = any (charged) and d.commission > 0 and outcome = 'paid')
  select array_agg(x.key), array_agg(x.kind),
         array_agg(case when outcome = 'paid' then x.account else x.other end), array_agg(case when outcome = 'paid' then x.other else x.account end),
         array_agg(x.amount * ${MICROS}), array_agg(x.subject)
    into keys, kinds, debits, credits, amounts, subjects
    from (select * from posts order by subject, place) x;
  perform ledger_post_all(book, keys, kinds, debits, credits, amounts, subjects,
    array_fill(ledger_clock(), array[cardinality(keys)]), array_fill(actor, array[cardinality(keys)]));
end $$;

-- The end of these dispatches, whose state says which: all of each, and what is returned before it was known as paid is paid first.
create function dispatch_end(ids uuid[], actor text) returns void
${inner} as $$
declare
  e record;
begin
  for e in
    select d.project_id, d.rail, d.state, array_agg(distinct d.id) ids, array_agg(i.payout_id order by i.payout_id) payouts,
           array_agg(i.payout_id order by i.payout_id) filter (where i.state = 'dispatched') unpaid
    from payout_dispatch d join payout_item i on i.dispatch_id = d.id
    where d.id = any (ids) and d.state in ('paid', 'failed', 'returned') and i.state in ('dispatched', 'paid')
    group by 1, 2, 3 order by 1, 2, 3
  loop
    if e.state = 'returned' and e.unpaid is not null then
      perform payout_end(e.project_id, e.rail, e.unpaid, e.ids, 'paid', false, actor, null);
    end if;
    perform payout_end(e.project_id, e.rail, e.payouts, e.ids, e.state, true, actor, null);
  end loop;
end $$`;

const arrow = `
-- Whether this arrow is one, by what the calls say. c: the call that has just ended; all null where none has.
create function dispatch_may(d payout_dispatch, target text, c rail_call) returns boolean
${inner} as $$
declare
  is_open constant boolean := d.state in ('waiting', 'drafting', 'drafted', 'confirming', 'unknown', 'asking');
  is_under_way constant boolean := is_open and d.state <> 'waiting';
  draft rail_call%rowtype;
begin
  case target
    when 'paid' then return is_under_way and c.outcome = 'answered' and c.status = 'success';
    when 'returned' then return is_under_way and c.outcome = 'answered' and c.status = 'revert';
    when 'stuck' then
      return is_under_way and c.n is not null
        or d.state = 'waiting' and (select count(*) from rail_call x where x.dispatch_id = d.id and x.what = 'draft' and x.outcome <> 'unsent') >= ${DRAFTS_MAX};
    when 'unknown' then return is_under_way and c.n is not null and (d.state in ('confirming', 'unknown') or d.rail_uuid is not null or c.status in ('progress', 'billing', 'error'));
    when 'asking' then return d.state = 'drafting' and c.n is not null or d.state = 'confirming' and c.status = 'error' or d.state = 'asking';
    when 'drafted' then
      return d.state = 'drafting' and c.outcome = 'answered' and c.status = 'draft'
        or d.state = 'drafted' and c.what = 'find'
        or d.state = 'confirming' and c.outcome = 'unsent' and dispatch_confirms(d.id) = 0;
    when 'waiting' then
      -- From here it is drafted anew: never once it may have been confirmed.
      return dispatch_confirms(d.id) = 0 and (
        d.state = 'drafting' and c.outcome in ('refused', 'unsent')
        or d.state = 'drafted'
        or d.state = 'asking' and dispatch_said_twice(d.id, array['absent', 'draft', 'error']));
    when 'failed' then
      if d.state = 'waiting' then return dispatch_unpayable(d.id) is not null; end if;
      if not is_under_way then return false; end if;
      select x.* into draft from rail_call x where x.dispatch_id = d.id and x.what = 'draft' order by x.n desc limit 1;
      if d.state in ('drafting', 'asking') and dispatch_confirms(d.id) = 0 then
        return draft.outcome = 'refused' and draft.because in ('card', 'fields', 'limit') and not dispatch_in_doubt(d);
      end if;
      return d.rail_uuid is not null and dispatch_said_twice(d.id, array['error']);
    else return false;
  end case;
end $$`;

const move = `
-- Closes the call that each names, if any, and moves its dispatch. 'moved'; 'confirming', with the call that it opened in the same commit,
-- where it was to be confirmed and everything is open; 'lost', where another has closed the call or moved the dispatch: nothing changed.
-- Raises NB030 where the calls do not allow it.
create function dispatch_move(moves jsonb)
returns table (item int, result text, call int, opened_at timestamptz)
${definer} as $$
#variable_conflict use_column
declare
  ids uuid[];
  r record;
  d payout_dispatch%rowtype;
  c rail_call%rowtype;
  at timestamptz;
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
    update payout_dispatch x set state = r.target, reason = r.reason, rail_uuid = coalesce(r.rail_uuid, x.rail_uuid),
        commission = coalesce(r.commission, x.commission), next_at = r.next_at
      where x.id = d.id returning x.* into d;
    if r.stops_rail is not null then perform dispatch_stop_rail(d.rail, r.stops_rail); end if;
    if d.state = 'stuck' and (select count(*) from payout_dispatch x where x.rail = d.rail and x.state = 'stuck') >= ${STUCK_MAX} then
      perform dispatch_stop_rail(d.rail, 'too-many-stuck');
    end if;
    result := 'moved';
    if r.confirms and d.state = 'drafted' and dispatch_confirmable(d)
       and (select b.state = 'running' from payout_batch b where b.id = d.batch_id)
       and not exists (select from rail x where x.id in ('all', d.rail) and x.stopped_at is not null) then
      update payout_dispatch x set state = 'confirming' where x.id = d.id;
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
-- Somebody says that there is news of a payment: it is read sooner, and nothing else is believed. Answers its job.
create function dispatch_look(of_rail text, of_reference text) returns uuid
${definer} as $$
declare
  found_dispatch uuid;
  its_job uuid;
begin
  select c.dispatch_id into found_dispatch from rail_call c join payout_dispatch d on d.id = c.dispatch_id
    where c.reference = of_reference and d.rail = of_rail limit 1;
  update payout_dispatch d set next_at = ledger_clock()
    where d.id = found_dispatch and d.state in ('unknown', 'asking') and d.next_at > ledger_clock() returning d.job_id into its_job;
  update job j set run_at = ledger_clock() where j.id = its_job and j.finished_at is null;
  return its_job;
end $$`;

const noneForPublic = `
revoke execute on function
  dispatch_stop_rail(text, text), payout_end(uuid, text, uuid[], uuid[], text, boolean, text, text), dispatch_end(uuid[], text), dispatch_may(payout_dispatch, text, rail_call),
  dispatch_move(jsonb), dispatch_look(text, text)
from public`;
