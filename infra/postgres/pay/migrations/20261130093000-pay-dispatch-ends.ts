import { Migration } from '@mikro-orm/migrations';

/**
 * A payment ends by its own rows. Where few lines seem to be in a state, an index of states looks cheap, and a connection keeps the plan
 * of its first payment: it read every line of the batch for each draft and each end (measured: 4 of the 12 ms of a move). What the
 * functions allow is as it was.
 */
export class Migration20261130093000PayDispatchEnds extends Migration {
  override up(): void {
    for (const sql of [ends, end, move]) this.addSql(sql);
  }
}

/** Micros (10^-6 UZS) in a tiyin. */
const MICROS = 10_000;
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

const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const ends = `
-- The end of these payouts, of one rail and book: 'paid', 'failed', or 'returned' where they were paid. Their items and rows change, what was
-- held is settled or given back, and who is told is written. charged: dispatches whose commission is posted with it. why: null takes the
-- reason of the dispatch. The caller holds the dispatches.
create or replace function payout_end(book uuid, of_rail text, payouts uuid[], charged uuid[], outcome text, tells boolean, actor text, why text) returns void
${inner} as $$
declare
  before constant text := case outcome when 'returned' then 'paid' else 'dispatched' end;
  ended int;
  accounts bigint[]; clearing bigint; fees bigint; commissions bigint;
  keys text[]; kinds text[]; debits bigint[]; credits bigint[]; amounts bigint[]; subjects uuid[];
begin
  -- Said twice of the state, so that payout_item_once finds them; and once so that no index of states does.
  perform from payout_item i where i.payout_id = any (payouts) and (i.state = before) is true and i.state not in ('dropped', 'failed') order by i.batch_id, i.n for no key update;
  perform from payout p where p.id = any (payouts) order by p.id for no key update;
  with changed as (
    update payout_item i set state = outcome where i.payout_id = any (payouts) and (i.state = before) is true and i.state not in ('dropped', 'failed') returning i.payout_id, i.dispatch_id)
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
end $$`;

const end = `
-- The end of these dispatches, whose state says which: all of each, and what is returned before it was known as paid is paid first.
-- Each by its own look-up, and the state of a line compared by no index: one of them is read through where few lines seem to be so.
create or replace function dispatch_end(ids uuid[], actor text) returns void
${inner} as $$
declare
  e record;
begin
  for e in
    select d.project_id, d.rail, d.state, array_agg(distinct d.id) ids, array_agg(i.payout_id order by i.payout_id) payouts,
           array_agg(i.payout_id order by i.payout_id) filter (where i.state = 'dispatched') unpaid
    from (select distinct u.id from unnest(ids) u(id)) w
      cross join lateral (select x.* from payout_dispatch x where x.id = w.id and x.state in ('paid', 'failed', 'returned') limit 1) d
      cross join lateral (select y.payout_id, y.state from payout_item y where y.dispatch_id = w.id offset 0) i
    where i.state in ('dispatched', 'paid')
    group by 1, 2, 3 order by 1, 2, 3
  loop
    if e.state = 'returned' and e.unpaid is not null then
      perform payout_end(e.project_id, e.rail, e.unpaid, e.ids, 'paid', false, actor, null);
    end if;
    perform payout_end(e.project_id, e.rail, e.payouts, e.ids, e.state, true, actor, null);
  end loop;
end $$`;

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
  batches uuid[];
  rails text[];
begin
  perform ledger_refuse_old_snapshot();
  if jsonb_array_length(moves) not between 1 and ${MOVES_MAX} then raise exception 'at most ${MOVES_MAX} a call' using errcode = 'NB004'; end if;
  select array_agg(distinct (m ->> 'dispatch')::uuid) into ids from jsonb_array_elements(moves) m;
  -- Which ones they are of never changes.
  select array_agg(distinct x.batch_id), array_agg(distinct x.rail) into batches, rails from payout_dispatch x where x.id = any (ids);
  perform from payout_batch b where b.id = any (batches) order by b.id for no key update;
  perform from rail x where x.id = 'all' or x.id = any (rails) order by x.id for no key update;
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
  if cardinality(ended) > 0 then perform dispatch_end(ended, 'dispatch'); end if;
end $$`;
