import { Migration } from '@mikro-orm/migrations';

/**
 * Payment orders on their way: rails with their switches, dispatches, and each call that a rail was made
 * (docs/adr/0028-a-dispatch-is-asked-not-repeated.md).
 *
 * A dispatch, not its job, is the truth of a payment. A call is committed before it is made. Locks, everywhere: batch, rail, dispatch,
 * item, payout, book; each is taken first and read by a statement of its own afterwards.
 */
export class Migration20261129181000PayDispatch extends Migration {
  override up(): void {
    for (const sql of [
      rails,
      dispatches,
      calls,
      ...kept,
      jobOf,
      start,
      unpayable,
      evidence,
      openCall,
      claim,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

/**
 * How many payments of a rail may be between their claim and a known end. An outage then costs so many questions, and not one for each
 * payment of the batch.
 */
const EXPOSURE_MAX = 64;
/** What one call takes: as much as a worker has under way. */
const CLAIMS_MAX = 200;
/** Dispatches that one call makes. */
const STARTS_MAX = 5_000;
/** Running batches that take turns. */
const BATCHES_MAX = 100;
/** A call begins within a second of its commit, or never: so a stop has stopped everything a second later. `CALL_BEGINS_MS` in domain/pay/dispatch/decide.ts. */
const BEGINS_WITHIN = '1 second';
/** `APART_MS` and `DRAFT_AGE_MAX_MS` there. */
const APART = '60 seconds';
const DRAFT_AGE = '10 minutes';
/** `HELD` in infra/postgres/job/held.ts: nothing lets a payment expire. */
const NEVER = `timestamptz '9999-12-31 00:00:00+00'`;

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

const rails = `
-- What money leaves by. 'all' is the switch of every rail at once.
create table rail (
  id money_text primary key check (id in ('all', 'bank-file', 'multicard')),
  -- Nothing new begins while it is stopped; what has begun is asked about to its end.
  stopped_at timestamptz,
  -- 'staff:ID', or 'navbat' where it stopped itself.
  stopped_by money_text,
  reason payout_text,
  exposure_max int not null default ${EXPOSURE_MAX} check (exposure_max > 0),
  check (num_nulls(stopped_at, stopped_by, reason) in (0, 3))
);
insert into rail (id) values ('all'), ('bank-file'), ('multicard')`;

const dispatches = `
-- One payment order to a rail: of one item where the rail pays cards, of many where it is a file.
create table payout_dispatch (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  batch_id uuid not null references payout_batch,
  rail money_text not null references rail check (rail <> 'all'),
  -- Tiyin; net of its items.
  amount bigint not null check (amount > 0),
  items int not null check (items > 0),
  state text not null default 'waiting' check (state in
    ('waiting', 'drafting', 'drafted', 'confirming', 'unknown', 'asking', 'stuck', 'paid', 'failed', 'returned', 'dropped', 'exported')),
  reason payout_word,
  -- Drafts made; each has a reference of its own, id-attempt.
  attempt int not null default 0 check (attempt >= 0),
  reference money_text unique,
  -- The rail's own.
  rail_uuid money_text check (length(rail_uuid) <= 100),
  -- What the rail takes for it, in tiyin, at our expense.
  commission bigint not null default 0 check (commission >= 0),
  next_at timestamptz not null,
  -- Of the job that works on it. Another one takes its place where it is lost.
  job_id uuid not null,
  -- Counts claims and moves: a worker that has read an older one does nothing.
  version int not null default 1,
  made_at timestamptz not null,
  state_at timestamptz not null
) with (fillfactor = 60);
create unique index payout_dispatch_rail_uuid on payout_dispatch (rail, rail_uuid) where rail_uuid is not null;
create index payout_dispatch_batch on payout_dispatch (batch_id, id);
-- Counted at each claim: never more than exposure_max, and those that people look at.
create index payout_dispatch_exposed on payout_dispatch (rail) where state in ('drafting', 'drafted', 'confirming', 'unknown', 'asking');
create index payout_dispatch_stuck on payout_dispatch (rail) where state = 'stuck';
create index payout_dispatch_waiting on payout_dispatch (rail) where state = 'waiting';
create index payout_dispatch_open on payout_dispatch (id)
  where state in ('waiting', 'drafting', 'drafted', 'confirming', 'unknown', 'asking')`;

const calls = `
-- Each call to a rail, committed before it is made. Kept: it is the proof of what was asked, and what was answered.
create table rail_call (
  dispatch_id uuid not null references payout_dispatch,
  n int not null check (n > 0),
  what text not null check (what in ('draft', 'confirm', 'read', 'find')),
  -- Which attempt it makes, or asks about.
  attempt int not null check (attempt > 0),
  reference money_text not null,
  rail_uuid money_text,
  opened_at timestamptz not null,
  -- It begins before, or never.
  call_by timestamptz not null,
  closed_at timestamptz,
  outcome text check (outcome in ('answered', 'refused', 'unknown', 'unsent', 'worker-lost')),
  status text check (status in ('draft', 'progress', 'billing', 'success', 'error', 'revert', 'absent')),
  because payout_word,
  -- What we keep of the answer: ids, amounts and codes, by an allow-list.
  answer jsonb check (not holds_card_number(answer::text)),
  primary key (dispatch_id, n),
  check ((closed_at is null) = (outcome is null)),
  check ((outcome is not distinct from 'answered') = (status is not null)),
  check (because is null or outcome <> 'answered')
) with (fillfactor = 60);
create unique index rail_call_open on rail_call (dispatch_id) where closed_at is null;
create index rail_call_reference on rail_call (reference)`;

const kept = [
  `
create trigger payout_dispatch_kept before delete or truncate on payout_dispatch for each statement execute function payout_refuse_change();
create trigger payout_dispatch_same before update of id, project_id, batch_id, rail, amount, items, made_at on payout_dispatch
  for each statement execute function payout_refuse_change();
create trigger rail_kept before insert or delete or truncate or update of id on rail for each statement execute function payout_refuse_change();
create trigger rail_call_kept before delete or truncate or update of dispatch_id, n, what, attempt, reference, rail_uuid, opened_at, call_by on rail_call
  for each statement execute function payout_refuse_change();
create trigger rail_call_closed_once before update on rail_call for each row when (old.closed_at is not null) execute function payout_refuse_change()`,
  `
-- An end is an end; what was paid may come back; what waits for people ends by people.
create function payout_dispatch_changes() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if new.state <> old.state and (old.state in ('failed', 'returned', 'dropped')
       or old.state = 'paid' and new.state <> 'returned'
       or old.state = 'stuck' and new.state not in ('paid', 'failed')) then
    raise exception 'a dispatch that is % can not become %', old.state, new.state using errcode = 'NB030', detail = old.state;
  end if;
  new.version := old.version + 1;
  if new.state <> old.state then new.state_at := ledger_clock(); end if;
  return new;
end $$;
create trigger payout_dispatch_changes before update of state, attempt, rail_uuid, commission, next_at on payout_dispatch
  for each row execute function payout_dispatch_changes()`,
];

const jobOf = `
-- A job for each of these dispatches, and a turn for their project. What a board may show of a payment is the last four digits.
create function dispatch_jobs(ids uuid[]) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  at constant timestamptz := ledger_clock();
begin
  insert into job (id, kind, project_id, subject_id, state, payload, labels, run_at, deadline_at, accepted_at)
    select d.job_id, 'payout', d.project_id, d.id, 'queued', jsonb_build_object('dispatch_id', d.id),
           jsonb_build_object('project', p.slug, 'card',
             coalesce((select '•••• ' || min(i.last4) from payout_item i where i.dispatch_id = d.id and d.items = 1), 'file')),
           d.next_at, ${NEVER}, at
    from payout_dispatch d join project p on p.id = d.project_id where d.id = any (ids);
  insert into turn_request (kind, project_id)
    select 'payout', d.project_id from payout_dispatch d where d.id = any (ids) group by 2 order by 2;
end $$`;

const start = `
-- Keeps so many dispatches of a rail waiting, an item each, from its running batches in turn: their rows, their jobs and the turn of
-- their project in one commit. The backlog stays in payout_item, so that a pause touches few rows. Two at once wait for each other.
create function dispatch_start(of_rail text, keep int) returns int
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
  if exists (select from rail r where r.id in ('all', of_rail) and r.stopped_at is not null) then return 0; end if;
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

const unpayable = `
-- Why a dispatch is not to be begun: what stands in its item is no longer what may be paid. Null: it may.
create function dispatch_unpayable(dispatch uuid) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select min(case
      when p.state <> 'batched' or p.net <> i.net then 'payout-changed'
      when d.id is null or d.removed_at is not null then 'destination-gone'
      when d.distrusted_at is not null then 'destination-distrusted'
      when d.holder_hash <> i.token_hash or d.last4 <> i.last4 then 'destination-changed'
      when d.usable_from > ledger_clock() then 'destination-new'
      when exists (select from payout_block x where x.person_id = p.person_id and x.lifted_at is null and (x.until is null or x.until > ledger_clock())) then 'blocked'
    end)
  from payout_item i join payout p on p.id = i.payout_id left join payout_destination d on d.id = p.destination_id
  where i.dispatch_id = dispatch and i.state = 'dispatched' $$`;

/** Asked of the rows, whatever the caller says: as `domain/pay/dispatch/decide.ts` decides it. */
const evidence = `
-- How many confirmations may have reached the rail.
create function dispatch_confirms(dispatch uuid) returns int
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select count(*)::int from rail_call c where c.dispatch_id = dispatch and c.what = 'confirm' and c.outcome is distinct from 'unsent' $$;

-- Whether the rail, asked since the last call that could have paid, ends on nothing but these answers, a minute apart.
create function dispatch_said_twice(dispatch uuid, statuses text[]) returns boolean
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  with asked as (
    select c.n, c.status, c.opened_at, c.closed_at from rail_call c
    where c.dispatch_id = dispatch and c.what in ('read', 'find') and c.outcome = 'answered'
      and c.n > (select coalesce(max(x.n), 0) from rail_call x
        where x.dispatch_id = dispatch and x.what in ('draft', 'confirm') and x.outcome is distinct from 'unsent')),
  alike as (select a.* from asked a where a.n > coalesce((select max(x.n) from asked x where x.status <> all (statuses)), 0))
  select coalesce(max(a.opened_at) - min(a.closed_at) >= interval '${APART}', false) from alike a $$;

-- Whether an earlier attempt may have reached the rail, and was not looked for since the newest draft was answered.
create function dispatch_in_doubt(d payout_dispatch) returns boolean
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select exists (
    select from rail_call c
    where c.dispatch_id = d.id and c.what = 'draft' and c.attempt < d.attempt
      and (coalesce(c.outcome, '') not in ('refused', 'unsent') or c.because in ('not-found', 'already-applied'))
      and not exists (
        select from rail_call f where f.dispatch_id = d.id and f.what = 'find' and f.attempt = c.attempt and f.outcome = 'answered'
          and f.opened_at >= (select max(x.closed_at) from rail_call x where x.dispatch_id = d.id and x.what = 'draft' and x.attempt = d.attempt))) $$;

-- Whether it may be confirmed as it stands.
create function dispatch_confirmable(d payout_dispatch) returns boolean
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select d.rail_uuid is not null and case
    when d.state = 'drafted' then
      dispatch_confirms(d.id) = 0 and not dispatch_in_doubt(d)
      and exists (select from rail_call c where c.dispatch_id = d.id and c.what = 'draft' and c.attempt = d.attempt and c.outcome = 'answered'
        and c.status = 'draft' and c.closed_at > ledger_clock() - interval '${DRAFT_AGE}')
    when d.state in ('unknown', 'asking') then dispatch_confirms(d.id) = 1 and dispatch_said_twice(d.id, array['draft'])
    else false end $$`;

const openCall = `
create function dispatch_open_call(d payout_dispatch, of_what text, of_attempt int) returns rail_call
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  at constant timestamptz := ledger_clock();
  made rail_call%rowtype;
begin
  insert into rail_call (dispatch_id, n, what, attempt, reference, rail_uuid, opened_at, call_by)
    select d.id, coalesce(max(c.n), 0) + 1, of_what, of_attempt, d.id || '-' || of_attempt,
           case when of_what in ('confirm', 'read') then d.rail_uuid end, at, at + interval '${BEGINS_WITHIN}'
    from rail_call c where c.dispatch_id = d.id
    returning * into made;
  return made;
end $$`;

const claim = `
-- Opens one call of each of these dispatches, or says why not: 'lost' (another has it), 'paused', 'stopped', 'full', or why it may not be
-- paid at all. The rail's row is locked in front of the count, so that no two claims count the same room, and none begins after a stop.
create function dispatch_claim(ids uuid[], versions int[], whats text[], attempts int[])
returns table (item int, refusal text, call int, attempt int, reference text, rail_uuid text, opened_at timestamptz, token_encrypted bytea, destination uuid)
${definer} as $$
#variable_conflict use_column
declare
  r record;
  d payout_dispatch%rowtype;
  c rail_call%rowtype;
  rooms jsonb;
  why text;
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
    why := case
      when d.version <> r.version or exists (select from rail_call x where x.dispatch_id = d.id and x.closed_at is null) then 'lost'
      when r.what in ('draft', 'confirm') then case
        when exists (select from rail x where x.id in ('all', d.rail) and x.stopped_at is not null) then 'stopped'
        -- What may have been confirmed goes on to its end: a batch whose rest is cancelled never runs again.
        when (select b.state <> 'running' from payout_batch b where b.id = d.batch_id)
          and not (r.what = 'confirm' and dispatch_confirms(d.id) > 0
            and exists (select from payout_action a where a.batch_id = d.batch_id and a.action = 'cancel-rest')) then 'paused' end
      end;
    if why is null and r.what = 'draft' then
      why := coalesce(dispatch_unpayable(d.id), case when (rooms ->> d.rail)::int <= 0 then 'full' end);
    end if;
    if why is null then
      if (case r.what
           when 'draft' then d.state = 'waiting'
           when 'confirm' then dispatch_confirmable(d)
           when 'read' then d.state in ('unknown', 'asking') and d.rail_uuid is not null
           when 'find' then d.state in ('asking', 'drafted') and r.attempt between 1 and d.attempt
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
    item := r.i; refusal := why; call := c.n; attempt := c.attempt; reference := c.reference; rail_uuid := c.rail_uuid; opened_at := c.opened_at;
    token_encrypted := null; destination := null;
    if c.what = 'draft' then
      select t.token_encrypted, t.id into token_encrypted, destination
        from payout_item i join payout p on p.id = i.payout_id join payout_destination t on t.id = p.destination_id
        where i.dispatch_id = d.id and i.state = 'dispatched';
    end if;
    return next;
  end loop;
end $$`;

const noneForPublic = `
revoke execute on function
  payout_dispatch_changes(), dispatch_jobs(uuid[]), dispatch_start(text, int), dispatch_unpayable(uuid), dispatch_confirms(uuid),
  dispatch_said_twice(uuid, text[]), dispatch_in_doubt(payout_dispatch), dispatch_confirmable(payout_dispatch),
  dispatch_open_call(payout_dispatch, text, int), dispatch_claim(uuid[], int[], text[], int[])
from public`;
