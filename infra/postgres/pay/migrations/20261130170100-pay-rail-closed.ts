import { Migration } from '@mikro-orm/migrations';

/**
 * What closes a rail is asked in one place, by all that begin something: a rail that wants one-time passwords begins nothing of what
 * waits either. A claim that is refused says which attempt is to be looked for first. And what waits in a paused batch keeps no other
 * batch from beginning.
 */
export class Migration20261130170100PayRailClosed extends Migration {
  override up(): void {
    for (const sql of [closed, start, claim, move, noneForPublic]) this.addSql(sql);
  }
}

/** Dispatches that one call makes. */
const STARTS_MAX = 5_000;
/** Running batches that take turns. */
const BATCHES_MAX = 100;
/** What one call takes: as much as a worker has under way. */
const CLAIMS_MAX = 200;
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

const closed = `
-- Whether nothing is begun by this rail now: it is stopped, all are, or it wants a one-time password for each payment.
create function rail_is_closed(of_rail text) returns boolean
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select exists (select from rail r where r.id in ('all', of_rail) and (r.stopped_at is not null or r.otp_since is not null)) $$`;

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
  if rail_is_closed(of_rail) then return 0; end if;
  -- What waits in a batch that is paused keeps no other from beginning.
  select keep - count(*) into room from payout_dispatch d join payout_batch b on b.id = d.batch_id
    where d.rail = of_rail and d.state = 'waiting' and b.state = 'running';
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

const claim = `
-- Opens one call of each of these dispatches, or says why not: 'lost' (another has it), 'paused', 'stopped', 'full', or why it may not be
-- paid at all; with an attempt, where that one is to be looked for before its money may be given back. The rail's row is locked in front of the count, so that no two claims count the same room, and none begins after a stop.
create or replace function dispatch_claim(ids uuid[], versions int[], whats text[], attempts int[])
returns table (item int, refusal text, call int, attempt int, reference text, rail_uuid text, opened_at timestamptz, token_encrypted bytea, destination uuid)
${definer} as $$
#variable_conflict use_column
declare
  r record;
  d payout_dispatch%rowtype;
  c rail_call%rowtype;
  rooms jsonb;
  why text;
  look int;
begin
  perform ledger_refuse_old_snapshot();
  if coalesce(cardinality(ids), 0) not between 1 and ${CLAIMS_MAX} then raise exception 'at most ${CLAIMS_MAX} a call' using errcode = 'NB004'; end if;
  -- What only asks holds nobody up.
  if array['draft', 'confirm'] && whats then
    perform from payout_batch b where b.id in (select x.batch_id from payout_dispatch x where x.id = any (ids)) order by b.id for no key update;
    perform from rail x where x.id = 'all' or x.id in (select y.rail from payout_dispatch y where y.id = any (ids)) order by x.id for no key update;
  end if;
  perform from payout_dispatch x where x.id = any (ids) order by x.id for no key update;
  select jsonb_object_agg(x.id, x.exposure_max - (select count(*) from payout_dispatch y
      where y.rail = x.id and y.state in ('drafting', 'drafted', 'confirming', 'unknown', 'asking')))
    into rooms from rail x;
  for r in
    select u.i::int i, u.id, u.version, u.what, u.attempt from unnest(ids, versions, whats, attempts) with ordinality u(id, version, what, attempt, i) order by u.i
  loop
    select x.* into d from payout_dispatch x where x.id = r.id;
    if d.id is null then raise exception 'no such dispatch' using errcode = 'NB028'; end if;
    c := null;
    look := null;
    why := case
      when d.version <> r.version or exists (select from rail_call x where x.dispatch_id = d.id and x.closed_at is null) then 'lost'
      when r.what in ('draft', 'confirm') then case
        when rail_is_closed(d.rail) then 'stopped'
        -- What may have been confirmed goes on to its end: a batch whose rest is cancelled never runs again.
        when (select b.state <> 'running' from payout_batch b where b.id = d.batch_id)
          and not (r.what = 'confirm' and dispatch_confirms(d.id) > 0
            and exists (select from payout_action a where a.batch_id = d.batch_id and a.action = 'cancel-rest')) then 'paused' end
      end;
    if why is null and r.what = 'draft' then
      why := coalesce(dispatch_unpayable(d.id), case when (rooms ->> d.rail)::int <= 0 then 'full' end);
    end if;
    if why is not null and r.what = 'draft' and d.state = 'waiting' and why not in ('lost', 'full', 'stopped')
       and (why <> 'paused' or exists (select from payout_action a where a.batch_id = d.batch_id and a.action = 'cancel-rest')) then
      look := dispatch_look_for(d);
    end if;
    if why is null then
      if (case r.what
           when 'draft' then d.state = 'waiting'
           when 'confirm' then dispatch_confirmable(d)
           when 'read' then d.state in ('unknown', 'asking') and d.rail_uuid is not null
           when 'find' then d.state in ('asking', 'drafted', 'waiting') and r.attempt between 1 and d.attempt
           else false end) is not true then
        raise exception 'a dispatch that is % takes no %', d.state, r.what using errcode = 'NB030', detail = d.state;
      end if;
      if r.what = 'draft' then
        update payout_dispatch x set state = 'drafting', attempt = x.attempt + 1, reference = x.id || '-' || (x.attempt + 1) where x.id = d.id returning x.* into d;
        rooms := jsonb_set(rooms, array[d.rail::text], to_jsonb((rooms ->> d.rail)::int - 1));
      elsif r.what = 'confirm' then
        update payout_dispatch x set state = 'confirming' where x.id = d.id;
      end if;
      c := dispatch_open_call(d, r.what, case r.what when 'find' then r.attempt else d.attempt end);
    end if;
    item := r.i; refusal := why; call := c.n; attempt := coalesce(c.attempt, look); reference := c.reference; rail_uuid := c.rail_uuid; opened_at := c.opened_at;
    token_encrypted := null; destination := null;
    if c.what = 'draft' then
      select t.token_encrypted, t.id into token_encrypted, destination
        from payout_item i join payout p on p.id = i.payout_id join payout_destination t on t.id = p.destination_id
        where i.dispatch_id = d.id and i.state = 'dispatched';
    end if;
    return next;
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
      and not rail_is_closed(d.rail);
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

const noneForPublic = `
revoke execute on function rail_is_closed(text) from public`;
