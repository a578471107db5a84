import { Migration } from '@mikro-orm/migrations';

/** A person's balance is summed anew from the transfers; and a block that a member of staff makes says why. */
export class Migration20261130161000PayBalances extends Migration {
  override up(): void {
    for (const sql of [buckets, verify, because, block, lift, noneForPublic]) this.addSql(sql);
  }
}

/** 1 tiyin in the ledger's unit. */
const MICROS = '10000.0';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const buckets = `
alter table difference drop constraint difference_bucket_check;
alter table difference add constraint difference_bucket_check check (bucket in
  ('amount-differs', 'payee-differs', 'only-theirs', 'duplicate', 'paid-though-failed', 'only-ours', 'wallet', 'clearing', 'held', 'balance'))`;

const verify = `
-- What the transfers of a person come to, in tiyin, and by how many micros the balances that are kept differ from it. Where they do, it is a
-- difference of the book ('all'): an alarm, and no new batch begins before finance has said why. Where they do not, an earlier one went by itself.
-- Balances and transfers are read by one statement, so that they are of one moment. Two at once write the same row.
create function balance_verify(book uuid, person uuid) returns table (available bigint, held bigint, receivable bigint, apart bigint)
${definer} as $$
#variable_conflict use_column
declare
  r record;
  said text;
begin
  perform ledger_refuse_old_snapshot();
  select coalesce(sum(floor(x.moved / ${MICROS})) filter (where x.class = 'available'), 0)::bigint as available,
      coalesce(sum(floor(x.moved / ${MICROS})) filter (where x.class = 'held'), 0)::bigint as held,
      coalesce(sum(ceil(-x.moved / ${MICROS})) filter (where x.class = 'receivable'), 0)::bigint as receivable,
      -- A transfer that is gone, and moved as much as another that is gone, is seen by their number.
      coalesce(sum(greatest(abs(x.balance - x.moved), (x.version <> x.transfers)::int)), 0)::bigint as apart
    into r
    from (
      select a.class, a.balance, a.version, c.sum - d.sum as moved, c.n + d.n as transfers
      from ledger_account a
      cross join lateral (select coalesce(sum(t.amount), 0) as sum, count(*) as n from ledger_transfer t where t.credit = a.id) c
      cross join lateral (select coalesce(sum(t.amount), 0) as sum, count(*) as n from ledger_transfer t where t.debit = a.id) d
      where a.project_id = book and a.owner = person and a.class in ('available', 'held', 'receivable')) x;
  said := case when r.apart > 0 then 'balance:' || person || ':' || r.apart end;
  update difference d set closed_at = ledger_clock()
    where d.project_id = book and d.rail = 'all' and d.bucket = 'balance' and d.closed_at is null
      and d.subject like 'balance:' || person || ':%' and d.subject is distinct from said;
  if said is not null then
    perform difference_found(book, 'all', 'balance', said, ceil(r.apart / ${MICROS})::bigint, null, null, null, null);
  end if;
  return query select r.available, r.held, r.receivable, r.apart;
end $$`;

const because = `
alter table payout_block add column because text check (length(because) between 1 and 500 and not holds_card_number(because));
-- What a member of staff blocked has their reason.
alter table payout_block add constraint payout_block_says_why check (reason <> 'by-staff' or num_nulls(by, because) = 0);
drop trigger payout_block_kept on payout_block;
create trigger payout_block_kept before delete or truncate or update of id, person_id, reason, until, by, because, made_at on payout_block
  for each statement execute function payout_block_kept()`;

const block = `
-- Inner: nothing is paid to the person until a member of staff lifts it. Answers whether it is new. Two at once: the second finds the first's.
create function payout_block_make(person uuid, staff uuid, why text) returns boolean
${inner} as $$
begin
  perform payout_staff_may(staff, array['admin']);
  perform pg_advisory_xact_lock(hashtextextended('payout-block:' || person, 0));
  if exists (select from payout_block b where b.person_id = person and b.reason = 'by-staff' and b.lifted_at is null) then return false; end if;
  insert into payout_block (person_id, reason, by, because, made_at) values (person, 'by-staff', staff, why, ledger_clock());
  return true;
end $$`;

const lift = `
-- Inner: what staff blocked of the person, and nothing else: what happened to them ends by itself. Who has the phone of the person lifts nothing (NB025).
-- Answers whether there was one.
create function payout_block_lift(person uuid, staff uuid, why text) returns boolean
${inner} as $$
begin
  perform payout_staff_may(staff, array['admin']);
  if exists (
    select from payout_handler h join person_phone x on x.phone = h.phone where h.staff_id = payout_block_lift.staff and x.person_id = person) then
    raise exception 'a block of their own' using errcode = 'NB025';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('payout-block:' || person, 0));
  update payout_block b set lifted_at = ledger_clock(), lifted_by = payout_block_lift.staff, lifted_because = why
    where b.person_id = person and b.reason = 'by-staff' and b.lifted_at is null;
  return found;
end $$`;

const noneForPublic = `
revoke execute on function
  balance_verify(uuid, uuid), payout_block_make(uuid, uuid, text), payout_block_lift(uuid, uuid, text)
from public`;
