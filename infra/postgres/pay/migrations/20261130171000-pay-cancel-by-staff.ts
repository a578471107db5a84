import { Migration } from '@mikro-orm/migrations';

/**
 * Staff of finance cancel a payout that stands in no batch. Before, a list's payout that was `pending` ended by nobody's hand: a card that
 * was removed, or a list that was imported by mistake, held the money for ever. And who cancels is asked by the database
 * (docs/adr/0027-four-eyes-in-sql.md): without a person `payout_cancel` asked nobody.
 *
 * Locks, as before: the payout, then the book.
 */
export class Migration20261130171000PayCancelByStaff extends Migration {
  override up(): void {
    for (const sql of [now, byPerson, byKey, byStaff, noneForPublic]) this.addSql(sql);
  }
}

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const now = `
-- Before it stands in a batch. Its money is given back in the same commit. Who may is asked by those that call it. Cancelling and adding to
-- a batch at once: the second waits for the payout's row and finds another state (NB010).
create function payout_cancel_now(payout uuid, why text, actor text) returns table (state text, version int)
${inner} as $$
#variable_conflict use_column
declare
  p payout%rowtype;
begin
  select x.* into p from payout x where x.id = payout_cancel_now.payout for no key update;
  if p.id is null then raise exception 'no such payout' using errcode = 'NB028'; end if;
  if p.state not in ('confirming', 'awaiting-card', 'pending') then
    raise exception 'a payout that is % is not cancelled', p.state using errcode = 'NB010', detail = p.state;
  end if;
  update payout x set state = 'cancelled', reason = why where x.id = p.id returning x.* into p;
  perform payout_post(p.project_id, array[p.id], 'release', actor);
  return query select p.state, p.version;
end $$`;

const byPerson = `
-- A withdrawal, by its person.
create or replace function payout_cancel(payout uuid, person uuid, why text, actor text)
returns table (state text, version int)
${definer} as $$
#variable_conflict use_column
begin
  perform ledger_refuse_old_snapshot();
  if not exists (
    select from payout x where x.id = payout_cancel.payout and x.source = 'withdrawal' and x.person_id = payout_cancel.person) then
    raise exception 'no such payout' using errcode = 'NB028';
  end if;
  return query select c.state, c.version from payout_cancel_now(payout, why, actor) c;
end $$`;

const byKey = `
-- Of the project that the key is of, and of no other.
create or replace function payout_cancel_by_key(payout uuid, of_funder uuid, of_key uuid) returns table (state text, version int)
${definer} as $$
#variable_conflict use_column
begin
  perform ledger_refuse_old_snapshot();
  if not exists (select from payout p where p.id = payout_cancel_by_key.payout and p.source = 'api' and p.funder = of_funder) then
    raise exception 'no such payout' using errcode = 'NB028';
  end if;
  return query select c.state, c.version from payout_cancel_now(payout, 'by-key', 'key:' || of_key) c;
end $$`;

const byStaff = `
-- Any payout of the book, by one person: it pays nobody, and the money is back where it was. Why is kept with who did it.
create function payout_cancel_by_staff(book uuid, payout uuid, staff uuid, why text) returns table (state text, version int)
${definer} as $$
#variable_conflict use_column
declare
  p payout%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'admin']);
  perform from payout x where x.id = payout_cancel_by_staff.payout and x.project_id = book for no key update;
  if not found then raise exception 'no such payout' using errcode = 'NB028'; end if;
  select x.* into p from payout x where x.id = payout_cancel_by_staff.payout;
  return query select c.state, c.version from payout_cancel_now(p.id, 'by-staff', 'staff:' || staff) c;
  insert into payout_action (subject, version, staff_id, action, total, reason, at)
    values (p.id::text, p.version, staff, 'cancel', p.net, why, ledger_clock());
end $$`;

const noneForPublic = `
revoke execute on function payout_cancel_now(uuid, text, text), payout_cancel_by_staff(uuid, uuid, uuid, text) from public`;
