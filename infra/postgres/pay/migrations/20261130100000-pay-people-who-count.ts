import { Migration } from '@mikro-orm/migrations';

/**
 * What one of two people did counts while they count: an account that was disabled, has another role by now, or lost its second factor, is
 * no second person any more. Asked where it is used: at the next approval, as a batch begins or goes on, and as another agrees
 * (docs/adr/0034-two-people-who-count.md).
 *
 * Of these and a command that disables an account at once, one is first. No lock: what is begun before is begun.
 */
export class Migration20261130100000PayPeopleWhoCount extends Migration {
  override up(): void {
    for (const sql of [
      counts,
      approvals,
      unapproved,
      blocked,
      approve,
      run,
      runDue,
      resume,
      two,
      correct,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

/** As in `20261129180200-pay-batches.ts`. */
const APPROVER_AGE = '24 hours';
const PLANNED_WITHIN = '31 days';
/** As in `20261129181200-pay-dispatch-people.ts`. */
const ASKED_WITHIN = '24 hours';
/** As in `20261129184000-pay-doors.ts`. */
const MICROS = 10_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const answer = `table (state text, version int, count int, total bigint, content_hash bytea)`;

const counts = `
-- Whether this member of staff is one of two people now.
create function payout_staff_counts(staff uuid) returns boolean
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select exists (select from staff s where s.id = payout_staff_counts.staff and s.disabled_at is null and s.role in ('finance', 'admin')) $$;

-- And whether the second factor that an action was proven by is theirs still, as staff_proof_outcome asks of a proof that is used.
create function payout_action_counts(done payout_action) returns boolean
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select payout_staff_counts(done.staff_id) and (done.proof_id is null or exists (
    select from staff_proof p join staff s on s.id = p.staff_id left join staff_passkey k on k.id = p.passkey_id
    where p.id = done.proof_id and case p.by
      when 'totp' then date_trunc('milliseconds', s.totp_bound_at) = date_trunc('milliseconds', p.factor_at)
      else k.removed_at is null end)) $$`;

const approvals = `
-- Approvals of what a batch was submitted as, the oldest first. Those of an earlier submission are of an earlier version.
create function payout_batch_approvals(batch uuid) returns table (staff_id uuid, counts boolean)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select a.staff_id, payout_action_counts(a) from payout_batch b join payout_action a on a.batch_id = b.id
  where b.id = payout_batch_approvals.batch and a.action = 'approve' and a.hash = b.content_hash
    and a.version > coalesce((select max(x.version) from payout_action x where x.batch_id = b.id and x.action = 'submit'), 0)
  order by a.at, a.id $$`;

const unapproved = `
-- Raises where fewer approvals count than it needs, and says whose do not.
create function payout_batch_refuse_unapproved(b payout_batch) returns void
${inner} as $$
declare
  gone text;
begin
  if (select count(*) from payout_batch_approvals(b.id) a where a.counts) >= b.approvals_needed then return; end if;
  select string_agg(s.email, ', ' order by s.email) into gone from payout_batch_approvals(b.id) a join staff s on s.id = a.staff_id where not a.counts;
  raise exception 'an approval counts no more: another person approves' using errcode = 'NB034', detail = coalesce(gone, '');
end $$`;

const blocked = `
-- Why this batch does not begin, or go on: 'approval', or as its rail says it (payout_run_blocked). Null: it may.
create function payout_batch_blocked(batch uuid) returns text
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select case
    when b.state in ('approved', 'paused') and (select count(*) from payout_batch_approvals(b.id) a where a.counts) < b.approvals_needed then 'approval'
    when b.state in ('submitted', 'approved') then payout_run_blocked(b.project_id, b.rail) end
  from payout_batch b where b.id = payout_batch_blocked.batch $$`;

const approve = `
-- What the approver has read, as they say it themselves, with a proof over exactly that. The version does not change before the last
-- approval that is needed: of two people at once each counts, where two are needed; where one is, the second is too late (NB020).
-- A batch that is approved or paused is approved anew where an approval of it counts no more.
create or replace function batch_approve(batch uuid, of_version int, staff uuid, read_hash bytea, read_count int, read_total bigint, proof uuid)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance', 'admin'], array['submitted', 'approved', 'paused']);
  since constant timestamptz := ledger_clock() - interval '${APPROVER_AGE}';
  handlers uuid[] := array(select payout_batch_makers(b.id));
  -- Whoever has approved it once does not do so again, whether it counts or not.
  before uuid[] := array(select a.staff_id from payout_batch_approvals(b.id) a);
  so_far constant int := (select count(*) from payout_batch_approvals(b.id) a where a.counts);
begin
  if b.state <> 'submitted' then
    if so_far >= b.approvals_needed then raise exception 'not of a batch that is %', b.state using errcode = 'NB027', detail = b.state; end if;
    perform payout_batch_refuse_cancelled(b);
  end if;
  if staff = any (handlers) then raise exception 'who made it does not approve it' using errcode = 'NB021'; end if;
  if staff = any (before) then raise exception 'another person approves it too' using errcode = 'NB021'; end if;
  if exists (select from staff s where s.id = batch_approve.staff and (s.created_at > since or s.totp_bound_at > since))
     or exists (select from staff_proof p where p.id = proof and p.factor_at > since) then
    raise exception 'the account or its second factor is younger than a day' using errcode = 'NB026';
  end if;
  if (read_hash, read_count, read_total) is distinct from (b.content_hash, b.count, b.total) then
    raise exception 'what was read is not what was submitted' using errcode = 'NB024';
  end if;
  perform payout_batch_refuse_changed(b);
  -- Of one that is paused, some lines are on their way; the others are asked again as they begin.
  if b.state <> 'paused' then perform payout_batch_screen(b.id); end if;
  perform payout_batch_refuse_own(b.id, handlers || before || staff);
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('batch.approve', b.id::text, b.version, encode(b.content_hash, 'hex'), b.count, b.total::text), 'UTF8')));
  if so_far + 1 >= b.approvals_needed then
    update payout_batch x set state = case x.state when 'submitted' then 'approved' else x.state end, version = x.version + 1 where x.id = b.id;
  end if;
  return query select e.* from payout_batch_end(b, staff, 'approve', null, proof) e;
end $$`;

const run = `
-- Now, or at a time: batch_run_due starts it then.
create or replace function batch_run(batch uuid, of_version int, staff uuid, start timestamptz)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance'], array['approved']);
  is_later constant boolean := coalesce(start > ledger_clock(), false);
begin
  perform payout_batch_refuse_cancelled(b);
  if start > ledger_clock() + interval '${PLANNED_WITHIN}' then raise exception 'not so far ahead' using errcode = 'NB004'; end if;
  perform payout_batch_refuse_unapproved(b);
  perform payout_batch_refuse_changed(b);
  if is_later then
    update payout_batch x set run_at = start, version = x.version + 1 where x.id = b.id;
  else
    update payout_batch x set state = 'running', run_at = null, started_at = ledger_clock(), version = x.version + 1 where x.id = b.id;
  end if;
  return query select e.* from payout_batch_end(b, staff, case when is_later then 'plan' else 'run' end) e;
end $$`;

const runDue = `
-- Starts what was planned, in the name of who planned it. A batch of a rail by which none begins now (payout_run_blocked) stays planned, and
-- takes no other's place. The plan ends where its planner may not run any more, where an approval counts no more, and where its rows are not
-- those that were approved. Two at once take different batches; nothing starts twice.
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
      perform payout_batch_refuse_unapproved(b);
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
      when sqlstate 'NB034' then
        update payout_batch x set run_at = null, version = x.version + 1 where x.id = b.id;
        perform payout_batch_end(b, planner, 'plan-ended', 'an approval counts no more: another person approves');
    end;
  end loop;
end $$`;

const resume = `
-- What was approved, and nothing else, goes on. After cancel-rest there is nothing to go on with.
create or replace function batch_resume(batch uuid, of_version int, staff uuid)
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance', 'admin'], array['paused']);
begin
  perform payout_batch_refuse_cancelled(b);
  perform payout_batch_refuse_unapproved(b);
  perform payout_batch_refuse_changed(b);
  update payout_batch x set state = 'running', version = x.version + 1 where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'resume') e;
end $$`;

const two = `
-- What the second of two people agrees to: what another, who counts, asked for of this subject last, and nobody has agreed to yet. Raises
-- otherwise; and where the subject is a payment, by its dispatch or its payout, of one of the two. Of a payment the newest saying of what
-- became of it takes the place of those before.
create or replace function payout_agreed(of_subject text, what text, staff uuid, since timestamptz) returns payout_action
${inner} as $$
declare
  asked payout_action%rowtype;
  actions constant text[] := case when what like 'settle-%' then array['settle-paid-asked', 'settle-failed-asked'] else array[what || '-asked'] end;
  from_at constant timestamptz := greatest(since, ledger_clock() - interval '${ASKED_WITHIN}');
  gone text;
begin
  perform payout_staff_may(staff, array['finance', 'admin']);
  select a.* into asked from payout_action a
    where a.subject = of_subject and a.action = any (actions) and a.at >= from_at and payout_staff_counts(a.staff_id)
    order by a.at desc, a.id desc limit 1;
  if asked.id is null then
    select s.email into gone from payout_action a join staff s on s.id = a.staff_id
      where a.subject = of_subject and a.action = what || '-asked' and a.at >= from_at order by a.at desc, a.id desc limit 1;
    if gone is not null then
      raise exception 'who asked for it counts no more: another person asks' using errcode = 'NB034', detail = gone;
    end if;
  end if;
  if asked.id is null or asked.action <> what || '-asked'
     or exists (select from payout_action a where a.subject = of_subject and a.action = what || '-agreed' and a.at >= asked.at) then
    raise exception 'nobody has asked for it' using errcode = 'NB028';
  end if;
  if asked.staff_id = staff then raise exception 'another person agrees' using errcode = 'NB021'; end if;
  if exists (select from staff s where s.id = payout_agreed.staff
      and (s.created_at > ledger_clock() - interval '${APPROVER_AGE}' or s.totp_bound_at > ledger_clock() - interval '${APPROVER_AGE}')) then
    raise exception 'the account or its second factor is younger than a day' using errcode = 'NB026';
  end if;
  -- No subject but a payment is settled.
  if what like 'settle-%' and exists (
    select from payout_item i join payout_handler h on h.staff_id in (payout_agreed.staff, asked.staff_id)
    where (i.dispatch_id = of_subject::uuid or i.payout_id = of_subject::uuid) and i.state = 'dispatched'
      and (i.phone = h.phone or exists (select from person_phone x where x.phone = h.phone and x.person_id = i.person_id))) then
    raise exception 'it is the money of one who handles it' using errcode = 'NB025';
  end if;
  return asked;
end $$`;

const correct = `
-- By another person than the one who asked, who counts still, with a proof over its id, version and amount. Twice at once: the second finds it
-- agreed (NB027).
create or replace function money_correction_agree(correction uuid, of_version int, staff uuid, proof uuid)
returns table (id uuid, state text, version int, n bigint)
${definer} as $$
#variable_conflict use_column
declare
  since constant timestamptz := ledger_clock() - interval '${APPROVER_AGE}';
  c money_correction%rowtype;
  own bigint;
  other bigint;
  is_debit boolean;
  posted bigint;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'admin']);
  perform from money_correction x where x.id = correction for no key update;
  select x.* into c from money_correction x where x.id = correction;
  if c.id is null then raise exception 'no such correction' using errcode = 'NB028'; end if;
  if c.state <> 'asked' then raise exception 'it is % by now', c.state using errcode = 'NB027', detail = c.state; end if;
  if c.version is distinct from of_version then raise exception 'it was changed' using errcode = 'NB020', detail = c.version::text; end if;
  if c.asked_by = staff then raise exception 'who asked does not agree' using errcode = 'NB021'; end if;
  if not payout_staff_counts(c.asked_by) then
    raise exception 'who asked for it counts no more: withdraw it, and another person asks' using errcode = 'NB034',
      detail = (select s.email from staff s where s.id = c.asked_by);
  end if;
  if exists (select from staff s where s.id = money_correction_agree.staff and (s.created_at > since or s.totp_bound_at > since))
     or exists (select from staff_proof p where p.id = proof and p.factor_at > since) then
    raise exception 'the account or its second factor is younger than a day' using errcode = 'NB026';
  end if;
  if exists (select from payout_handler h join person_phone x on x.phone = h.phone where h.staff_id in (staff, c.asked_by) and x.person_id = c.owner) then
    raise exception 'it is the money of one who handles it' using errcode = 'NB025';
  end if;
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('money.correct', c.id::text, c.version, null, null, c.amount::text), 'UTF8')));
  select o.account into own from ledger_open(c.project_id, array[c.class::text], array[c.owner], array[c.rail::text]) o;
  select o.account into other from ledger_open(c.project_id,
    array[case when c.what in ('top-up', 'wallet-top-up') then 'bank' else 'adjustment' end], array[null::uuid], array[null::text]) o;
  is_debit := c.what in ('wallet-top-up', 'adjust-down');
  select p.n into posted from ledger_post_all(c.project_id, array['correct:' || c.id],
    array[case c.what when 'top-up' then 'top-up' when 'wallet-top-up' then 'top-up' when 'write-off' then 'write-off' else 'adjust' end],
    array[case when is_debit then own else other end], array[case when is_debit then other else own end], array[c.amount * ${MICROS}],
    array[c.id], array[ledger_clock()], array['staff:' || staff]) p;
  update money_correction x set state = 'agreed', version = x.version + 1, ended_by = staff, ended_at = ledger_clock(), n = posted where x.id = c.id;
  insert into payout_action (subject, version, staff_id, action, total, proof_id, at)
    values (c.id::text, c.version, staff, c.what || '-agreed', c.amount, proof, ledger_clock());
  return query select c.id, 'agreed', c.version + 1, posted;
end $$`;

const noneForPublic = `
revoke execute on function
  payout_staff_counts(uuid), payout_action_counts(payout_action), payout_batch_approvals(uuid), payout_batch_refuse_unapproved(payout_batch),
  payout_batch_blocked(uuid)
from public`;
