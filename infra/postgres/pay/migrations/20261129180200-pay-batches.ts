import { Migration } from '@mikro-orm/migrations';

/**
 * What staff do with batches: each in a function that asks for itself who may, and writes its action in the same commit
 * (docs/adr/0027-four-eyes-in-sql.md). A caller in SQL is refused what a caller over HTTP is.
 *
 * Locks: the batch, its items, the payouts. Two of these functions on one batch wait for each other; the second then reads a newer
 * version and is refused (NB020), or finds another state (NB027). Of one payout that is added to two batches at once, the second waits
 * for the payout's row and finds it batched (NB010).
 */
export class Migration20261129180200PayBatches extends Migration {
  override up(): void {
    for (const sql of [
      handlers,
      begin,
      end,
      hash,
      makers,
      pays,
      screen,
      intact,
      create,
      add,
      drop,
      submit,
      takeBack,
      approve,
      run,
      runDue,
      pause,
      resume,
      cancelRest,
      close,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

/** Above it two people approve: 100 M UZS, in tiyin. */
const ONE_APPROVES_MAX = '10000000000';
/** What one call adds. */
const ADDED_MAX = 5_000;
/** As the checks of `payout_batch`: 100 000 items and 1 000 M UZS. */
const BATCH_ITEMS_MAX = '100000';
const BATCH_TOTAL_MAX = '100000000000';
/** Whose account or second factor is younger approves nothing: an account that a thief made has to stand a day unnoticed. */
const APPROVER_AGE = '24 hours';
/** What one call takes out: well within the statement's time. */
const DROPPED_MAX = 10_000;
/** How far ahead a start is planned. */
const PLANNED_WITHIN = '31 days';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const answer = `table (state text, version int, count int, total bigint, content_hash bytea)`;

const handlers = `
-- The phones of staff themselves: a batch that pays one of them is refused to whoever handles it. Declared once and kept.
create table payout_handler (
  staff_id uuid not null references staff,
  phone text not null check (phone ~ '^\\+[1-9][0-9]{6,14}$'),
  declared_by uuid references staff,
  declared_at timestamptz not null,
  primary key (staff_id, phone)
);
create index payout_handler_phone on payout_handler (phone);
create trigger payout_handler_kept before update or delete or truncate on payout_handler for each statement execute function payout_refuse_change();

-- declarer: null for the command line.
create function payout_handler_declare(staff uuid, of_phone text, declarer uuid) returns void
${definer} as $$
begin
  insert into payout_handler (staff_id, phone, declared_by, declared_at) values (staff, of_phone, declarer, ledger_clock()) on conflict do nothing;
end $$`;

const begin = `
-- Locks the batch, and asks who wants what of it.
create function payout_batch_begin(batch uuid, of_version int, staff uuid, roles text[], states text[]) returns payout_batch
${inner} as $$
declare
  b payout_batch%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, roles);
  perform from payout_batch x where x.id = batch for no key update;
  if not found then raise exception 'no such batch' using errcode = 'NB028'; end if;
  select x.* into b from payout_batch x where x.id = batch;
  if b.version is distinct from of_version then
    raise exception 'the batch has changed since it was read' using errcode = 'NB020', detail = b.version::text;
  end if;
  if b.state <> all (states) then
    raise exception 'not of a batch that is %', b.state using errcode = 'NB027', detail = b.state;
  end if;
  return b;
end $$;

create function payout_staff_may(staff uuid, roles text[]) returns void
${inner} as $$
begin
  if not exists (select from staff s where s.id = payout_staff_may.staff and s.disabled_at is null and s.role = any (roles)) then
    raise exception 'not of this role' using errcode = 'NB022';
  end if;
end $$`;

const end = `
-- Writes who did it, and answers the batch as it is now. b: as it was read.
create function payout_batch_end(b payout_batch, staff uuid, what text, why text default null, proof uuid default null)
returns ${answer}
${inner} as $$
#variable_conflict use_column
declare
  x payout_batch%rowtype;
begin
  select z.* into x from payout_batch z where z.id = b.id;
  insert into payout_action (batch_id, subject, version, staff_id, action, hash, count, total, reason, proof_id, at)
    values (b.id, b.id::text, b.version, staff, what, x.content_hash, x.count, x.total, why, proof, ledger_clock());
  return query select x.state, x.version, x.count, x.total, x.content_hash;
end $$`;

/** As `domain/pay/batch/content-hash.ts` writes it. */
const hash = `
-- Of the rows that are not dropped, in order of n: "n,payout,net,token hash in hex,last four" and a line feed each. Null where there is none.
create function payout_batch_content(batch uuid) returns table (hash bytea, count int, total bigint)
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select sha256(convert_to(string_agg(i.n || ',' || i.payout_id || ',' || i.net || ',' || encode(i.token_hash, 'hex') || ',' || i.last4 || e'\\n', '' order by i.n), 'UTF8')),
         count(*)::int, coalesce(sum(i.net), 0)::bigint
    from payout_item i where i.batch_id = batch and i.state <> 'dropped' $$`;

const makers = `
-- Whoever had a hand in what it pays: by an action on it, by importing a list of which it has a line, by asking for a payout in it.
create function payout_batch_makers(batch uuid) returns setof uuid
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select a.staff_id from payout_action a where a.batch_id = batch and a.action in ('create', 'add', 'drop', 'import', 'submit', 'withdraw')
  union
  select l.imported_by from payout_list l where l.id in (
    select p.list_id from payout_item i join payout p on p.id = i.payout_id where i.batch_id = batch and i.state <> 'dropped')
  union
  select substr(p.asked_by, 7)::uuid from payout_item i join payout p on p.id = i.payout_id
   where i.batch_id = batch and i.state <> 'dropped' and p.asked_by like 'staff:%' $$`;

const pays = `
-- Raises where the batch pays one of these members of staff: to their phone, their person, or a card that they have bound.
create function payout_batch_refuse_own(batch uuid, handlers uuid[]) returns void
${inner} as $$
declare
  phones text[];
  people uuid[];
  cards bytea[];
begin
  select array_agg(h.phone) into phones from payout_handler h where h.staff_id = any (handlers);
  if phones is null then return; end if;
  select coalesce(array_agg(x.person_id), '{}') into people from person_phone x where x.phone = any (phones);
  select coalesce(array_agg(d.holder_hash), '{}') into cards from payout_destination d where d.phone = any (phones) or d.person_id = any (people);
  if exists (
    select from payout_item i where i.batch_id = batch and i.state <> 'dropped'
      and (i.phone = any (phones) or i.person_id = any (people) or i.token_hash = any (cards))) then
    raise exception 'it pays somebody who handles it' using errcode = 'NB025';
  end if;
end $$`;

const screen = `
-- Raises where a line may not be paid now, or is not what its payout and its card say.
create function payout_batch_screen(batch uuid) returns void
${inner} as $$
declare
  wrong record;
begin
  select i.n,
         case
           when p.state <> 'batched' or p.net <> i.net or p.rail <> b.rail or d.holder_hash <> i.token_hash or d.last4 <> i.last4
             or (p.person_id, p.phone) is distinct from (i.person_id, i.phone) then 'differs'
           when d.removed_at is not null or d.distrusted_at is not null then 'destination-gone'
           when d.usable_from > ledger_clock() then 'destination-new'
           else 'blocked' end as because
    into wrong
    from payout_batch b join payout_item i on i.batch_id = b.id join payout p on p.id = i.payout_id join payout_destination d on d.id = p.destination_id
    where b.id = batch and i.state <> 'dropped'
      and (p.state <> 'batched' or p.net <> i.net or p.rail <> b.rail or d.holder_hash <> i.token_hash or d.last4 <> i.last4
        or (p.person_id, p.phone) is distinct from (i.person_id, i.phone)
        or d.removed_at is not null or d.distrusted_at is not null or d.usable_from > ledger_clock()
        or exists (select from payout_block x where x.person_id = i.person_id and x.lifted_at is null and (x.until is null or x.until > ledger_clock())))
    order by i.n limit 1;
  if wrong.because = 'differs' then
    raise exception 'line % is not what its payout says', wrong.n using errcode = 'NB024', detail = wrong.n::text;
  elsif wrong.because is not null then
    raise exception 'line % can not be paid', wrong.n using errcode = 'NB011', detail = wrong.because;
  end if;
end $$`;

const intact = `
-- Raises where the rows are not those that were submitted and approved.
create function payout_batch_refuse_changed(b payout_batch) returns void
${inner} as $$
begin
  if (select (c.hash, c.count, c.total) is distinct from (b.content_hash, b.count, b.total) from payout_batch_content(b.id) c) then
    raise exception 'the rows are not those that were submitted' using errcode = 'NB024';
  end if;
end $$;

-- Raises where its rest was cancelled: nothing of it goes on.
create function payout_batch_refuse_cancelled(b payout_batch) returns void
${inner} as $$
begin
  if exists (select from payout_action a where a.batch_id = b.id and a.action = 'cancel-rest') then
    raise exception 'its rest was cancelled' using errcode = 'NB027', detail = b.state;
  end if;
end $$`;

const create = `
create function batch_create(book uuid, of_rail text, called text, staff uuid)
returns table (batch uuid, state text, version int, count int, total bigint, content_hash bytea)
${definer} as $$
#variable_conflict use_column
declare
  b payout_batch%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance']);
  insert into payout_batch (project_id, rail, name, made_by, made_at) values (book, of_rail, called, staff, ledger_clock()) returning * into b;
  return query select b.id, e.* from payout_batch_end(b, staff, 'create') e;
end $$`;

const add = `
-- In the order that they are given. All or none: the first that can't be paid is told by NB010 or NB011, with its id in the message.
create function batch_add(batch uuid, of_version int, staff uuid, payouts uuid[])
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance'], array['draft']);
  wrong record;
  last_n int;
  added bigint;
begin
  if coalesce(cardinality(payouts), 0) not between 1 and ${ADDED_MAX} then
    raise exception 'one to ${ADDED_MAX} payouts a call' using errcode = 'NB004';
  end if;
  perform from payout p where p.id = any (payouts) order by p.id for no key update;
  select u.id, p.state, p.id is null or p.project_id <> b.project_id as unknown,
         case
           when p.rail <> b.rail or d.removed_at is not null or d.distrusted_at is not null then 'destination-gone'
           when d.usable_from > ledger_clock() then 'destination-new'
           when exists (select from payout_block x where x.person_id = p.person_id and x.lifted_at is null and (x.until is null or x.until > ledger_clock())) then 'blocked'
         end as because
    into wrong
    from unnest(payouts) with ordinality u(id, place)
    left join payout p on p.id = u.id
    left join payout_destination d on d.id = p.destination_id
    where p.id is null or p.project_id <> b.project_id or p.state <> 'pending' or p.rail <> b.rail
       or d.removed_at is not null or d.distrusted_at is not null or d.usable_from > ledger_clock()
       or exists (select from payout_block x where x.person_id = p.person_id and x.lifted_at is null and (x.until is null or x.until > ledger_clock()))
    order by u.place limit 1;
  if wrong.unknown then raise exception 'no payout %', wrong.id using errcode = 'NB028';
  elsif wrong.state <> 'pending' then
    raise exception 'payout % is %', wrong.id, wrong.state using errcode = 'NB010', detail = wrong.state;
  elsif wrong.because is not null then
    raise exception 'payout % can not be paid', wrong.id using errcode = 'NB011', detail = wrong.because;
  end if;
  select coalesce(max(i.n), 0) into last_n from payout_item i where i.batch_id = b.id;
  select sum(p.net) into added from payout p where p.id = any (payouts);
  if b.count + cardinality(payouts) > ${BATCH_ITEMS_MAX} or b.total + added > ${BATCH_TOTAL_MAX} then
    raise exception 'more than a batch holds' using errcode = 'NB011', detail = 'above-limit';
  end if;
  -- The same payout twice in one call breaks payout_item_once.
  begin
    insert into payout_item (batch_id, n, payout_id, net, token_hash, last4, person_id, phone)
      select b.id, last_n + u.place, p.id, p.net, d.holder_hash, d.last4, p.person_id, p.phone
      from unnest(payouts) with ordinality u(id, place) join payout p on p.id = u.id join payout_destination d on d.id = p.destination_id;
  exception when unique_violation then
    raise exception 'a payout stands in one batch, once' using errcode = 'NB010', detail = 'batched';
  end;
  update payout p set state = 'batched' where p.id = any (payouts);
  update payout_batch x set count = x.count + cardinality(payouts), total = x.total + added, version = x.version + 1 where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'add') e;
end $$`;

const drop = `
-- By their numbers. Their payouts are pending again, and stand for another batch.
create function batch_drop(batch uuid, of_version int, staff uuid, ns int[], why text)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance'], array['draft']);
  dropped uuid[];
  less bigint;
begin
  perform from payout_item i where i.batch_id = b.id and i.n = any (ns) order by i.n for no key update;
  with gone as (
    update payout_item i set state = 'dropped' where i.batch_id = b.id and i.n = any (ns) and i.state = 'ready' returning i.payout_id, i.net)
  select array_agg(g.payout_id order by g.payout_id), sum(g.net) into dropped, less from gone g;
  if dropped is null or cardinality(dropped) <> (select count(distinct n) from unnest(ns) n) then
    raise exception 'no such line' using errcode = 'NB028';
  end if;
  perform from payout p where p.id = any (dropped) order by p.id for no key update;
  update payout p set state = 'pending' where p.id = any (dropped);
  update payout_batch x set count = x.count - cardinality(dropped), total = x.total - less, version = x.version + 1 where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'drop', why) e;
end $$`;

const submit = `
-- Screens every line anew, and freezes them: hash, count and total are what is approved.
create function batch_submit(batch uuid, of_version int, staff uuid)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance'], array['draft']);
  c record;
begin
  select * into c from payout_batch_content(b.id);
  if c.count = 0 or (c.count, c.total) is distinct from (b.count, b.total) then
    raise exception 'there is nothing to submit, or it was counted wrongly' using errcode = 'NB024';
  end if;
  perform payout_batch_screen(b.id);
  perform payout_batch_refuse_own(b.id, array(select payout_batch_makers(b.id)) || staff);
  update payout_batch x set state = 'submitted', content_hash = c.hash, submitted_at = ledger_clock(), version = x.version + 1,
      approvals_needed = case when c.total > ${ONE_APPROVES_MAX} then 2 else 1 end
    where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'submit') e;
end $$`;

const takeBack = `
-- Back to a draft, whose hash is gone and whose version is new: what was approved of it counts no more.
create function batch_reject(batch uuid, of_version int, staff uuid, why text)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance', 'admin'], array['submitted']);
begin
  if coalesce(btrim(why), '') = '' then raise exception 'a batch is rejected with a reason' using errcode = 'NB004'; end if;
  update payout_batch x set state = 'draft', content_hash = null, submitted_at = null, approvals_needed = 1, version = x.version + 1 where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'reject', why) e;
end $$;

create function batch_withdraw(batch uuid, of_version int, staff uuid, why text)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance'], array['submitted']);
begin
  update payout_batch x set state = 'draft', content_hash = null, submitted_at = null, approvals_needed = 1, version = x.version + 1 where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'withdraw', why) e;
end $$`;

const approve = `
-- What the approver has read, as they say it themselves, with a proof over exactly that. The version does not change before the last
-- approval that is needed: of two people at once each counts, where two are needed; where one is, the second is too late (NB020).
create function batch_approve(batch uuid, of_version int, staff uuid, read_hash bytea, read_count int, read_total bigint, proof uuid)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance', 'admin'], array['submitted']);
  since constant timestamptz := ledger_clock() - interval '${APPROVER_AGE}';
  handlers uuid[] := array(select payout_batch_makers(b.id));
  before uuid[];
begin
  if staff = any (handlers) then raise exception 'who made it does not approve it' using errcode = 'NB021'; end if;
  select coalesce(array_agg(a.staff_id), '{}') into before from payout_action a
    where a.batch_id = b.id and a.version = b.version and a.action = 'approve' and a.hash = b.content_hash;
  if staff = any (before) then raise exception 'another person approves it too' using errcode = 'NB021'; end if;
  if exists (select from staff s where s.id = batch_approve.staff and (s.created_at > since or s.totp_bound_at > since))
     or exists (select from staff_proof p where p.id = proof and p.factor_at > since) then
    raise exception 'the account or its second factor is younger than a day' using errcode = 'NB026';
  end if;
  if (read_hash, read_count, read_total) is distinct from (b.content_hash, b.count, b.total) then
    raise exception 'what was read is not what was submitted' using errcode = 'NB024';
  end if;
  perform payout_batch_refuse_changed(b);
  perform payout_batch_screen(b.id);
  perform payout_batch_refuse_own(b.id, handlers || before || staff);
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('batch.approve', b.id::text, b.version, encode(b.content_hash, 'hex'), b.count, b.total::text), 'UTF8')));
  if cardinality(before) + 1 >= b.approvals_needed then
    update payout_batch x set state = 'approved', version = x.version + 1 where x.id = b.id;
  end if;
  return query select e.* from payout_batch_end(b, staff, 'approve', null, proof) e;
end $$`;

const run = `
-- Now, or at a time: batch_run_due starts it then.
create function batch_run(batch uuid, of_version int, staff uuid, start timestamptz)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance'], array['approved']);
  is_later constant boolean := coalesce(start > ledger_clock(), false);
begin
  perform payout_batch_refuse_cancelled(b);
  if start > ledger_clock() + interval '${PLANNED_WITHIN}' then raise exception 'not so far ahead' using errcode = 'NB004'; end if;
  perform payout_batch_refuse_changed(b);
  if is_later then
    update payout_batch x set run_at = start, version = x.version + 1 where x.id = b.id;
  else
    update payout_batch x set state = 'running', run_at = null, started_at = ledger_clock(), version = x.version + 1 where x.id = b.id;
  end if;
  return query select e.* from payout_batch_end(b, staff, case when is_later then 'plan' else 'run' end) e;
end $$`;

const runDue = `
-- Starts what was planned, in the name of who planned it. One who may not run any more starts nothing: the plan ends. Two at once take
-- different batches; nothing starts twice.
create function batch_run_due(most int) returns setof uuid
${definer} as $$
declare
  due uuid[];
  of_one uuid;
  b payout_batch%rowtype;
  planner uuid;
begin
  perform ledger_refuse_old_snapshot();
  with found as (
    select x.id from payout_batch x where x.state = 'approved' and x.run_at <= navbat_now() order by x.id limit most for no key update skip locked)
  select array_agg(f.id) into due from found f;
  foreach of_one in array coalesce(due, '{}') loop
    select x.* into b from payout_batch x where x.id = of_one;
    select a.staff_id into planner from payout_action a where a.batch_id = b.id and a.action = 'plan' order by a.version desc limit 1;
    if exists (select from staff s where s.id = planner and s.disabled_at is null and s.role = 'finance') then
      perform payout_batch_refuse_changed(b);
      update payout_batch x set state = 'running', run_at = null, started_at = ledger_clock(), version = x.version + 1 where x.id = b.id;
      perform payout_batch_end(b, planner, 'run', 'as planned');
      return next b.id;
    else
      update payout_batch x set run_at = null, version = x.version + 1 where x.id = b.id;
    end if;
  end loop;
end $$`;

const pause = `
-- In a hurry no version is asked for (null). Of a planned start it ends the plan.
create function batch_pause(batch uuid, of_version int, staff uuid, why text)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b payout_batch%rowtype;
  now_version int;
begin
  select x.version into now_version from payout_batch x where x.id = batch for no key update;
  b := payout_batch_begin(batch, coalesce(of_version, now_version), staff, array['finance', 'operator', 'admin'], array['running', 'approved']);
  if b.state = 'approved' and b.run_at is null then
    raise exception 'it does not run' using errcode = 'NB027', detail = b.state;
  end if;
  update payout_batch x set state = case x.state when 'running' then 'paused' else x.state end, run_at = null, version = x.version + 1 where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'pause', why) e;
end $$`;

const resume = `
-- What was approved, and nothing else, goes on. After cancel-rest there is nothing to go on with.
create function batch_resume(batch uuid, of_version int, staff uuid)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance', 'admin'], array['paused']);
begin
  perform payout_batch_refuse_cancelled(b);
  perform payout_batch_refuse_changed(b);
  update payout_batch x set state = 'running', version = x.version + 1 where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'resume') e;
end $$`;

const cancelRest = `
-- Takes out lines that have not left, so many a call: their payouts are pending again. Done, where nothing is on its way. The caller has
-- locked the batch.
create function payout_batch_drop_rest(batch uuid) returns void
${inner} as $$
declare
  lines int[];
  dropped uuid[];
begin
  with rest as (
    select i.n from payout_item i where i.batch_id = batch and i.state = 'ready' order by i.n limit ${DROPPED_MAX} for no key update)
  select array_agg(r.n) into lines from rest r;
  with gone as (
    update payout_item i set state = 'dropped' where i.batch_id = batch and i.n = any (lines) and i.state = 'ready' returning i.payout_id)
  select array_agg(g.payout_id) into dropped from gone g;
  perform from payout p where p.id = any (dropped) order by p.id for no key update;
  update payout p set state = 'pending' where p.id = any (dropped);
  if not exists (select from payout_item i where i.batch_id = batch and i.state in ('ready', 'dispatched')) then
    update payout_batch x set state = 'done', done_at = ledger_clock(), version = x.version + 1 where x.id = batch;
  end if;
end $$;

-- The action is written first: by it, what a dispatch has not begun to pay is taken out too. Of a large batch the rest follows by
-- batch_cancel_due. Nothing of it goes on meanwhile: it is not resumed any more.
create function batch_cancel_rest(batch uuid, of_version int, staff uuid, why text)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance', 'admin'], array['approved', 'paused']);
begin
  perform payout_batch_end(b, staff, 'cancel-rest', why);
  update payout_batch x set run_at = null, version = x.version + 1 where x.id = b.id;
  perform payout_batch_drop_rest(b.id);
  return query select x.state, x.version, x.count, x.total, x.content_hash from payout_batch x where x.id = b.id;
end $$;

-- Goes on with what was cancelled: for housekeeping. How many batches still have lines that are to be taken out. Two at once take different
-- batches.
create function batch_cancel_due(most int) returns int
${definer} as $$
declare
  cancelled uuid[];
  of_one uuid;
begin
  perform ledger_refuse_old_snapshot();
  with found as (
    select x.id from payout_batch x
    where x.state in ('approved', 'paused') and exists (select from payout_action a where a.batch_id = x.id and a.action = 'cancel-rest')
      and exists (select from payout_item i where i.batch_id = x.id and i.state = 'ready')
    order by x.id limit most for no key update of x skip locked)
  select array_agg(f.id) into cancelled from found f;
  foreach of_one in array coalesce(cancelled, '{}') loop
    perform payout_batch_drop_rest(of_one);
  end loop;
  return (select count(distinct i.batch_id) from payout_item i where i.batch_id = any (cancelled) and i.state = 'ready');
end $$`;

const close = `
create function batch_close(batch uuid, of_version int, staff uuid)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance'], array['done']);
begin
  if exists (select from payout_item i where i.batch_id = b.id and i.state in ('ready', 'dispatched')) then
    raise exception 'it has open lines' using errcode = 'NB027', detail = b.state;
  end if;
  update payout_batch x set state = 'closed', closed_at = ledger_clock(), version = x.version + 1 where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'close') e;
end $$`;

const noneForPublic = `
revoke execute on function
  payout_handler_declare(uuid, text, uuid), payout_batch_begin(uuid, int, uuid, text[], text[]), payout_staff_may(uuid, text[]),
  payout_batch_end(payout_batch, uuid, text, text, uuid), payout_batch_content(uuid), payout_batch_makers(uuid), payout_batch_refuse_own(uuid, uuid[]),
  payout_batch_screen(uuid), payout_batch_refuse_changed(payout_batch), payout_batch_refuse_cancelled(payout_batch),
  batch_create(uuid, text, text, uuid), batch_add(uuid, int, uuid, uuid[]), batch_drop(uuid, int, uuid, int[], text), batch_submit(uuid, int, uuid),
  batch_reject(uuid, int, uuid, text), batch_withdraw(uuid, int, uuid, text), batch_approve(uuid, int, uuid, bytea, int, bigint, uuid),
  batch_run(uuid, int, uuid, timestamptz), batch_run_due(int), batch_pause(uuid, int, uuid, text), batch_resume(uuid, int, uuid),
  batch_cancel_rest(uuid, int, uuid, text), batch_cancel_due(int), payout_batch_drop_rest(uuid), batch_close(uuid, int, uuid)
from public`;
