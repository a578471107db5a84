import { Migration } from '@mikro-orm/migrations';

/** What people do to rails and dispatches: stop (one), open and settle (two); and what housekeeping does for all of them. */
export class Migration20261129181200PayDispatchPeople extends Migration {
  override up(): void {
    for (const sql of [stop, two, open, settle, drop, housekeeping, noneForPublic]) this.addSql(sql);
  }
}

/** Two people who mean the same moment. An agreement to what was asked long ago is agreement to something else. */
const ASKED_WITHIN = '24 hours';
/** As of whoever approves a batch. */
const AGREER_AGE = '24 hours';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const stop = `
-- One person, at once: whoever waits for the rail's row to claim or to confirm is refused afterwards.
create function rail_stop(of_rail text, staff uuid, why text) returns void
${definer} as $$
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'operator', 'admin']);
  perform from rail r where r.id = of_rail for no key update;
  if not found then raise exception 'no such rail' using errcode = 'NB028'; end if;
  update rail r set stopped_at = ledger_clock(), stopped_by = 'staff:' || staff, reason = why where r.id = of_rail and r.stopped_at is null;
  insert into payout_action (subject, staff_id, action, reason, at) values (of_rail, staff, 'rail-stop', why, ledger_clock());
end $$`;

const two = `
-- What the second of two people agrees to: what another asked for of this subject, and nobody has agreed to yet. Raises otherwise.
create function payout_agreed(of_subject text, what text, staff uuid, since timestamptz) returns payout_action
${inner} as $$
declare
  asked payout_action%rowtype;
begin
  perform payout_staff_may(staff, array['finance', 'admin']);
  select a.* into asked from payout_action a
    where a.subject = of_subject and a.action = what || '-asked' and a.at >= greatest(since, ledger_clock() - interval '${ASKED_WITHIN}')
    order by a.at desc, a.id desc limit 1;
  if asked.id is null or exists (select from payout_action a where a.subject = of_subject and a.action = what || '-agreed' and a.at >= asked.at) then
    raise exception 'nobody has asked for it' using errcode = 'NB028';
  end if;
  if asked.staff_id = staff then raise exception 'another person agrees' using errcode = 'NB021'; end if;
  if exists (select from staff s where s.id = payout_agreed.staff
      and (s.created_at > ledger_clock() - interval '${AGREER_AGE}' or s.totp_bound_at > ledger_clock() - interval '${AGREER_AGE}')) then
    raise exception 'the account or its second factor is younger than a day' using errcode = 'NB026';
  end if;
  return asked;
end $$`;

const open = `
create function rail_open_ask(of_rail text, staff uuid, why text) returns void
${definer} as $$
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'admin']);
  if not exists (select from rail r where r.id = of_rail and r.stopped_at is not null) then
    raise exception 'the rail is not stopped' using errcode = 'NB028';
  end if;
  insert into payout_action (subject, staff_id, action, reason, at) values (of_rail, staff, 'rail-open-asked', why, ledger_clock());
end $$;

-- Of what was asked since it was stopped: a rail that stopped again is asked for again.
create function rail_open_agree(of_rail text, staff uuid) returns void
${definer} as $$
declare
  r rail%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform from rail x where x.id = of_rail for no key update;
  select x.* into r from rail x where x.id = of_rail;
  if r.stopped_at is null then raise exception 'the rail is not stopped' using errcode = 'NB028'; end if;
  perform payout_agreed(of_rail, 'rail-open', staff, r.stopped_at);
  insert into payout_action (subject, staff_id, action, at) values (of_rail, staff, 'rail-open-agreed', ledger_clock());
  update rail x set stopped_at = null, stopped_by = null, reason = null where x.id = of_rail;
end $$`;

const settle = `
-- A payment that nobody could learn the end of, after whatever evidence people have: one asks and says what it is, another agrees.
create function dispatch_settle_ask(dispatch uuid, staff uuid, outcome text, evidence text) returns void
${definer} as $$
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'admin']);
  if outcome not in ('paid', 'failed') or coalesce(btrim(evidence), '') = '' then
    raise exception 'paid or failed, with evidence' using errcode = 'NB004';
  end if;
  if not exists (select from payout_dispatch d where d.id = dispatch and d.state = 'stuck') then
    raise exception 'it does not wait for people' using errcode = 'NB030';
  end if;
  insert into payout_action (batch_id, subject, staff_id, action, reason, at)
    select d.batch_id, d.id::text, staff, 'settle-' || outcome || '-asked', evidence, ledger_clock() from payout_dispatch d where d.id = dispatch;
end $$;

create function dispatch_settle_agree(dispatch uuid, staff uuid, outcome text) returns void
${definer} as $$
declare
  d payout_dispatch%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  if outcome not in ('paid', 'failed') then raise exception 'paid or failed' using errcode = 'NB004'; end if;
  perform from payout_batch b where b.id = (select x.batch_id from payout_dispatch x where x.id = dispatch) for no key update;
  perform from payout_dispatch x where x.id = dispatch for no key update;
  select x.* into d from payout_dispatch x where x.id = dispatch;
  if d.id is null then raise exception 'no such dispatch' using errcode = 'NB028'; end if;
  if d.state <> 'stuck' then raise exception 'it does not wait for people' using errcode = 'NB030', detail = d.state; end if;
  perform payout_agreed(d.id::text, 'settle-' || outcome, staff, d.state_at);
  insert into payout_action (batch_id, subject, staff_id, action, at) values (d.batch_id, d.id::text, staff, 'settle-' || outcome || '-agreed', ledger_clock());
  update payout_dispatch x set state = outcome, reason = 'by-hand' where x.id = d.id;
  perform dispatch_end(array[d.id], 'staff:' || staff);
end $$`;

const drop = `
-- Of a batch whose rest was cancelled, what is not yet confirmed and has no call under way is taken out too: its payout is pending again.
create function dispatch_drop_rest(batch uuid) returns int
${inner} as $$
declare
  ids uuid[];
  payouts uuid[];
begin
  perform from payout_dispatch d where d.batch_id = batch and d.state in ('waiting', 'drafted') order by d.id for no key update;
  select array_agg(d.id) into ids from payout_dispatch d
    where d.batch_id = batch and d.state in ('waiting', 'drafted') and dispatch_confirms(d.id) = 0
      and not exists (select from rail_call c where c.dispatch_id = d.id and c.closed_at is null);
  if ids is null then return 0; end if;
  perform from payout_item i where i.dispatch_id = any (ids) and i.state = 'dispatched' order by i.batch_id, i.n for no key update;
  select array_agg(i.payout_id order by i.payout_id) into payouts from payout_item i where i.dispatch_id = any (ids) and i.state = 'dispatched';
  perform from payout p where p.id = any (payouts) order by p.id for no key update;
  update payout_dispatch d set state = 'dropped' where d.id = any (ids);
  update payout_item i set state = 'dropped' where i.dispatch_id = any (ids) and i.state = 'dispatched';
  update payout p set state = 'pending' where p.id = any (payouts);
  return cardinality(ids);
end $$;

-- In the commit that cancels the rest, which holds the batch.
create function dispatch_on_cancel_rest() returns trigger
${inner} as $$
begin
  perform dispatch_drop_rest(new.batch_id);
  return null;
end $$;
create trigger dispatch_on_cancel_rest after insert on payout_action for each row
  when (new.action = 'cancel-rest') execute function dispatch_on_cancel_rest()`;

const housekeeping = `
-- A job for each open dispatch that has none under way: it was deleted, or lost. Answers how many.
create function dispatch_rejob(most int) returns int
${definer} as $$
declare
  ids uuid[];
begin
  perform ledger_refuse_old_snapshot();
  with found as (
    select d.id from payout_dispatch d
    where d.state in ('waiting', 'drafting', 'drafted', 'confirming', 'unknown', 'asking')
      and not exists (select from job j where j.id = d.job_id and j.finished_at is null)
    order by d.id limit most for no key update skip locked),
  changed as (update payout_dispatch d set job_id = uuidv7() from found f where d.id = f.id returning d.id)
  select array_agg(c.id) into ids from changed c;
  if ids is null then return 0; end if;
  perform dispatch_jobs(ids);
  return cardinality(ids);
end $$;

-- Batches of which every line has its end are done; of those whose rest was cancelled, what came back to waiting is taken out first.
create function dispatch_finish_batches(most int) returns setof uuid
${definer} as $$
declare
  of_one uuid;
begin
  perform ledger_refuse_old_snapshot();
  for of_one in
    select b.id from payout_batch b
    where b.state in ('running', 'paused')
      and not exists (select from payout_item i where i.batch_id = b.id and i.state = 'ready')
      and (not exists (select from payout_item i where i.batch_id = b.id and i.state = 'dispatched')
        or exists (select from payout_action a where a.batch_id = b.id and a.action = 'cancel-rest'))
    order by b.id limit most for no key update skip locked
  loop
    if exists (select from payout_action a where a.batch_id = of_one and a.action = 'cancel-rest') then perform dispatch_drop_rest(of_one); end if;
    update payout_batch b set state = 'done', done_at = ledger_clock(), version = b.version + 1
      where b.id = of_one and b.state in ('running', 'paused')
        and not exists (select from payout_item i where i.batch_id = b.id and i.state in ('ready', 'dispatched'));
    if found then return next of_one; end if;
  end loop;
end $$`;

const noneForPublic = `
revoke execute on function
  rail_stop(text, uuid, text), payout_agreed(text, text, uuid, timestamptz), rail_open_ask(text, uuid, text), rail_open_agree(text, uuid),
  dispatch_settle_ask(uuid, uuid, text, text), dispatch_settle_agree(uuid, uuid, text), dispatch_drop_rest(uuid), dispatch_on_cancel_rest(),
  dispatch_rejob(int), dispatch_finish_batches(int)
from public`;
