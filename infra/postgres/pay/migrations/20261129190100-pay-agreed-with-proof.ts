import { Migration } from '@mikro-orm/migrations';

/**
 * Whoever agrees to open a rail, or to what became of a payment, shows their proof to the database, as whoever approves a batch does: a caller
 * in SQL is refused what a route is, nobody settles their own money, and the action names its proof.
 */
export class Migration20261129190100PayAgreedWithProof extends Migration {
  override up(): void {
    for (const sql of [noMore, two, open, settle, noneForPublic]) this.addSql(sql);
  }
}

/** As in `20261129180200-pay-batches.ts`. */
const APPROVER_AGE = '24 hours';
/** As in `20261129181200-pay-dispatch-people.ts`. */
const ASKED_WITHIN = '24 hours';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const noMore = `
drop function rail_open_agree(text, uuid);
drop function dispatch_settle_agree(uuid, uuid, text)`;

const two = `
-- What the second of two people agrees to: what another asked for of this subject, and nobody has agreed to yet. Raises otherwise; and where
-- the subject is a payment, by its dispatch or its payout, of one of the two.
create or replace function payout_agreed(of_subject text, what text, staff uuid, since timestamptz) returns payout_action
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

const open = `
-- Of what was asked since it was stopped: a rail that stopped again is asked for again. The proof is of this very stop, by its second.
create function rail_open_agree(of_rail text, staff uuid, proof uuid) returns void
${definer} as $$
declare
  r rail%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform from rail x where x.id = of_rail for no key update;
  select x.* into r from rail x where x.id = of_rail;
  if r.stopped_at is null then raise exception 'the rail is not stopped' using errcode = 'NB028'; end if;
  perform payout_agreed(of_rail, 'rail-open', staff, r.stopped_at);
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('rail.open', of_rail, floor(extract(epoch from r.stopped_at))::bigint, null, null, null), 'UTF8')));
  insert into payout_action (subject, staff_id, action, proof_id, at) values (of_rail, staff, 'rail-open-agreed', proof, ledger_clock());
  update rail x set stopped_at = null, stopped_by = null, reason = null where x.id = of_rail;
end $$`;

const settle = `
-- The proof is of its version and amount. Twice at once: the second finds it settled (NB030).
create function dispatch_settle_agree(dispatch uuid, staff uuid, outcome text, proof uuid) returns void
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
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('money.correct', d.id::text, d.version, null, null, d.amount::text), 'UTF8')));
  insert into payout_action (batch_id, subject, version, staff_id, action, total, proof_id, at)
    values (d.batch_id, d.id::text, d.version, staff, 'settle-' || outcome || '-agreed', d.amount, proof, ledger_clock());
  update payout_dispatch x set state = outcome, reason = 'by-hand' where x.id = d.id;
  perform dispatch_end(array[d.id], 'staff:' || staff);
end $$`;

const noneForPublic = `
revoke execute on function
  rail_open_agree(text, uuid, uuid), dispatch_settle_agree(uuid, uuid, text, uuid)
from public`;
