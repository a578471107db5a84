import { Migration } from '@mikro-orm/migrations';

/**
 * A payee who is known by a phone alone has nowhere to remove a card: what is bound to the phone newly makes room by itself. Before, three
 * old ones kept every other out for ever, whoever had bound them (docs/adr/0030-lists-and-links.md).
 *
 * Locks: the payee (advisory), then the destinations of the phone.
 */
export class Migration20261130110100PayDestinationRoom extends Migration {
  override up(): void {
    for (const sql of [makeRoom, destinationAdd, noneForPublic]) this.addSql(sql);
  }
}

/** Of one payee and rail, in use. */
const DESTINATIONS_MAX = 3;
/** As in `20261129180100-pay-asking.ts`. */
const COOL_DOWN = '24 hours';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const makeRoom = `
-- The oldest of a phone are removed, for one more to be added. One to which an open payout goes stays: it is paid, or ends, as it would. A
-- payout that is being made holds its destination (by its foreign key): it is waited for, and then seen.
create or replace function payout_destination_make_room(book uuid, of_phone text, of_rail text) returns void
${inner} as $$
begin
  perform from payout_destination d
    where d.project_id = book and d.phone = of_phone and d.rail = of_rail and d.removed_at is null order by d.id for update;
  update payout_destination d set removed_at = ledger_clock()
    where d.id in (
        select o.id from payout_destination o
        where o.project_id = book and o.phone = of_phone and o.rail = of_rail and o.removed_at is null
        order by o.made_at desc, o.id desc offset ${DESTINATIONS_MAX - 1})
      and not exists (select from payout p where p.destination_id = d.id and p.state in ('confirming', 'pending', 'batched'));
end $$`;

const destinationAdd = `
-- A card or account that its owner bound. Where its token is encrypted already, it is to new_id. The same one again is the row that there is; one
-- that was distrusted is not taken again. A person who has three removes one first; a phone's oldest makes room. Two at once of one payee
-- wait for each other.
create or replace function payout_destination_add(
  book uuid, person uuid, of_phone text, of_rail text, token bytea, holder bytea, digits text, holder_called text, phone_is_theirs boolean, pinfl bytea,
  new_id uuid default uuidv7())
returns uuid
${definer} as $$
declare
  now_at timestamptz;
  known payout_destination%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform pg_advisory_xact_lock(hashtextextended('payee:' || coalesce(person::text, of_phone), 0));
  now_at := ledger_clock();
  select d.* into known from payout_destination d
    where d.project_id = book and d.rail = of_rail and d.holder_hash = holder and d.person_id is not distinct from person
      and d.phone is not distinct from of_phone and (d.removed_at is null or d.distrusted_at is not null)
    order by d.distrusted_at nulls last limit 1;
  if known.distrusted_at is not null then
    raise exception 'this destination gave money back' using errcode = 'NB011', detail = 'destination-gone';
  end if;
  if known.id is not null then return known.id; end if;
  if person is null then
    perform payout_destination_make_room(book, of_phone, of_rail);
  elsif (select count(*) from payout_destination d
      where d.project_id = book and d.person_id = person and d.removed_at is null) >= ${DESTINATIONS_MAX} then
    raise exception 'a payee has at most ${DESTINATIONS_MAX} destinations' using errcode = 'NB011', detail = 'too-many-destinations';
  end if;
  insert into payout_destination (id, project_id, person_id, phone, rail, token_encrypted, holder_hash, last4, holder_name, phone_matches, pinfl_hash, usable_from, made_at)
    values (new_id, book, person, of_phone, of_rail, token, holder, digits, holder_called, phone_is_theirs, pinfl, now_at + interval '${COOL_DOWN}', now_at);
  return new_id;
end $$`;

const noneForPublic = `
revoke execute on function payout_destination_make_room(uuid, text, text) from public`;
