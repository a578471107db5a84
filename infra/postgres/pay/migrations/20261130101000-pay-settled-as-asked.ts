import { Migration } from '@mikro-orm/migrations';

/**
 * Whoever agrees to what became of a payment proves what they read: the outcome, by what evidence, and who said it. Before, a proof of the
 * payment's version and amount was good for the other outcome, too, once somebody had asked for that.
 */
export class Migration20261130101000PaySettledAsAsked extends Migration {
  override up(): void {
    for (const sql of [hash, settle, settleItem, noneForPublic]) this.addSql(sql);
  }
}

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const hash = `
-- What the proof of whoever agrees binds of it: who asked, when, what for and by which evidence are this one row, which never changes.
create function payout_asked_hash(asked payout_action) returns text
language sql immutable set search_path = pg_catalog, public, pg_temp as $$
  select encode(sha256(convert_to(asked.id || e'\\n' || asked.action || e'\\n' || coalesce(asked.reason, ''), 'UTF8')), 'hex') $$`;

const settle = `
-- The proof is of its version and amount, and of what was asked: a proof for 'failed' settles nothing as paid. Twice at once: the second
-- finds it settled (NB030).
create or replace function dispatch_settle_agree(dispatch uuid, staff uuid, outcome text, proof uuid) returns void
${definer} as $$
declare
  d payout_dispatch%rowtype;
  asked payout_action%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  if outcome not in ('paid', 'failed') then raise exception 'paid or failed' using errcode = 'NB004'; end if;
  perform from payout_batch b where b.id = (select x.batch_id from payout_dispatch x where x.id = dispatch) for no key update;
  perform from payout_dispatch x where x.id = dispatch for no key update;
  select x.* into d from payout_dispatch x where x.id = dispatch;
  if d.id is null then raise exception 'no such dispatch' using errcode = 'NB028'; end if;
  if d.state <> 'stuck' then raise exception 'it does not wait for people' using errcode = 'NB030', detail = d.state; end if;
  asked := payout_agreed(d.id::text, 'settle-' || outcome, staff, d.state_at);
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('money.correct', d.id::text, d.version, payout_asked_hash(asked), null, d.amount::text), 'UTF8')));
  insert into payout_action (batch_id, subject, version, staff_id, action, hash, total, proof_id, at)
    values (d.batch_id, d.id::text, d.version, staff, 'settle-' || outcome || '-agreed', decode(payout_asked_hash(asked), 'hex'), d.amount, proof, ledger_clock());
  update payout_dispatch x set state = outcome, reason = 'by-hand' where x.id = d.id;
  perform dispatch_end(array[d.id], 'staff:' || staff);
end $$`;

const settleItem = `
-- By another person, with a proof over the payout, its version, its amount and what was asked. 'failed' gives its gross back, under the key
-- of a settlement; 'paid' settles it, and its line is matched when it comes. Of this and an import of its line at once the second waits for
-- the batch, and finds the item ended. A line that comes for what failed is a difference, and stops the rail.
create or replace function bank_item_settle_agree(payout uuid, staff uuid, outcome text, proof uuid) returns void
${definer} as $$
declare
  d payout_dispatch%rowtype;
  p payout%rowtype;
  asked payout_action%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  if outcome not in ('paid', 'failed') then raise exception 'paid or failed' using errcode = 'NB004'; end if;
  d := bank_item_file(payout);
  perform from payout_batch b where b.id = d.batch_id for no key update;
  perform from payout_dispatch x where x.id = d.id for no key update;
  d := bank_item_file(payout);
  select x.* into p from payout x where x.id = bank_item_settle_agree.payout;
  asked := payout_agreed(p.id::text, 'settle-' || outcome, staff, d.state_at);
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('money.correct', p.id::text, p.version, payout_asked_hash(asked), null, p.net::text), 'UTF8')));
  insert into payout_action (subject, version, staff_id, action, hash, total, proof_id, at)
    values (p.id::text, p.version, staff, 'settle-' || outcome || '-agreed', decode(payout_asked_hash(asked), 'hex'), p.net, proof, ledger_clock());
  perform payout_end(p.project_id, d.rail, array[p.id], '{}', outcome, true, 'staff:' || staff, 'by-hand');
  if outcome = 'failed' then
    -- It is ours no more.
    update difference x set closed_at = ledger_clock()
      where x.project_id = p.project_id and x.rail = d.rail and x.bucket = 'only-ours' and x.subject = p.id::text and x.closed_at is null;
  end if;
end $$`;

const noneForPublic = `
revoke execute on function payout_asked_hash(payout_action) from public`;
