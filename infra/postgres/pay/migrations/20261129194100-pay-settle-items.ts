import { Migration } from '@mikro-orm/migrations';

/**
 * Payments of a bank's file of which nobody heard: a bank that refuses an order writes no line of it. Two people say what became of one, as of a
 * payment that is stuck (docs/adr/0031-a-line-is-matched-exactly-or-by-a-person.md).
 */
export class Migration20261129194100PaySettleItems extends Migration {
  override up(): void {
    for (const sql of [unheard, item, ask, agree, noneForPublic]) this.addSql(sql);
  }
}

/** The bank's statements of the next working days may still have it. As long as `ONLY_OURS_AFTER` of the differences. */
const SETTLE_AFTER = '72 hours';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const unheard = `
-- Payments of files of which no statement has said anything for so long that people may settle them; the oldest file first.
create function bank_items_unheard(book uuid) returns table (dispatch_id uuid, payout_id uuid, since timestamptz)
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select d.id, i.payout_id, d.state_at from payout_dispatch d join payout_item i on i.dispatch_id = d.id
  where d.project_id = book and d.rail = 'bank-file' and d.state = 'exported' and d.state_at <= navbat_now() - interval '${SETTLE_AFTER}'
    and i.state = 'dispatched'
  order by d.state_at, d.id, i.n $$`;

const item = `
-- The dispatch of this payment where people may settle it by hand; raises where they may not, or not yet.
create function bank_item_file(payout uuid) returns payout_dispatch
${inner} as $$
declare
  d payout_dispatch%rowtype;
  item_state text;
begin
  select i.state into item_state from payout_item i join payout_dispatch x on x.id = i.dispatch_id
    where i.payout_id = bank_item_file.payout and x.rail = 'bank-file' and x.state = 'exported';
  if item_state is null then raise exception 'no such payment of a file' using errcode = 'NB028'; end if;
  if item_state <> 'dispatched' then raise exception 'it does not wait for people' using errcode = 'NB030', detail = item_state; end if;
  select x.* into d from payout_dispatch x join payout_item i on i.dispatch_id = x.id
    where i.payout_id = bank_item_file.payout and i.state = 'dispatched';
  if d.state_at > ledger_clock() - interval '${SETTLE_AFTER}' then
    raise exception 'a statement may still have it' using errcode = 'NB033';
  end if;
  return d;
end $$`;

const ask = `
create function bank_item_settle_ask(payout uuid, staff uuid, outcome text, evidence text) returns void
${definer} as $$
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'admin']);
  if outcome not in ('paid', 'failed') or coalesce(btrim(evidence), '') = '' then
    raise exception 'paid or failed, with evidence' using errcode = 'NB004';
  end if;
  perform bank_item_file(payout);
  insert into payout_action (subject, staff_id, action, reason, at)
    values (payout::text, staff, 'settle-' || outcome || '-asked', evidence, ledger_clock());
end $$`;

const agree = `
-- By another person, with a proof over the payout, its version and its amount. 'failed' gives its gross back, under the key of a settlement;
-- 'paid' settles it, and its line is matched when it comes. Of this and an import of its line at once the second waits for the batch,
-- and finds the item ended. A line that comes for what failed is a difference, and stops the rail.
create function bank_item_settle_agree(payout uuid, staff uuid, outcome text, proof uuid) returns void
${definer} as $$
declare
  d payout_dispatch%rowtype;
  p payout%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  if outcome not in ('paid', 'failed') then raise exception 'paid or failed' using errcode = 'NB004'; end if;
  d := bank_item_file(payout);
  perform from payout_batch b where b.id = d.batch_id for no key update;
  perform from payout_dispatch x where x.id = d.id for no key update;
  d := bank_item_file(payout);
  select x.* into p from payout x where x.id = bank_item_settle_agree.payout;
  perform payout_agreed(p.id::text, 'settle-' || outcome, staff, d.state_at);
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('money.correct', p.id::text, p.version, null, null, p.net::text), 'UTF8')));
  insert into payout_action (subject, version, staff_id, action, total, proof_id, at)
    values (p.id::text, p.version, staff, 'settle-' || outcome || '-agreed', p.net, proof, ledger_clock());
  perform payout_end(p.project_id, d.rail, array[p.id], '{}', outcome, true, 'staff:' || staff, 'by-hand');
  if outcome = 'failed' then
    -- It is ours no more.
    update difference x set closed_at = ledger_clock()
      where x.project_id = p.project_id and x.rail = d.rail and x.bucket = 'only-ours' and x.subject = p.id::text and x.closed_at is null;
  end if;
end $$`;

const noneForPublic = `
revoke execute on function
  bank_items_unheard(uuid), bank_item_file(uuid), bank_item_settle_ask(uuid, uuid, text, text), bank_item_settle_agree(uuid, uuid, text, uuid)
from public`;
