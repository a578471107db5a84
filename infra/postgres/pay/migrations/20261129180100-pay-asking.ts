import { Migration } from '@mikro-orm/migrations';

/**
 * Asking for a payout, confirming it, binding its card, and giving its money back. Each moves money and its row in one commit.
 *
 * Locks, in this order: the payee (advisory, by `payout_ask` and `payout_destination_add` alone), the payout, the book. What two of each
 * at once do, is said at each.
 */
export class Migration20261129180100PayAsking extends Migration {
  override up(): void {
    for (const sql of [
      post,
      destinationAdd,
      destinationRemove,
      payable,
      deviceAsked,
      limits,
      ask,
      cancel,
      confirm,
      challenge,
      onApproval,
      bind,
      confirmDue,
      expire,
      noticesTake,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

/** 1 tiyin in the ledger's unit. */
const MICROS = 10_000;
/** In tiyin: 10 000 UZS. What a payment costs to handle should not be a large part of it. */
const GROSS_MIN = '1000000';
/** 5 M UZS. */
const WITHDRAWAL_MAX = '500000000';
/** 10 M UZS: above, the rail wants seven fields of who the payee is. A person's in a day of Tashkent, and anybody's in one payout. */
const DAY_MAX = '1000000000';
/** A person's withdrawals under way. */
const OPEN_MAX = 3;
/** Of one payee, in use. */
const DESTINATIONS_MAX = 3;
/** Whose account was taken over has that long to notice, before a new card or a new device is of use. */
const COOL_DOWN = '24 hours';
/** Longer than a challenge lives. */
const CONFIRM_WITHIN = '15 minutes';
/** How long a link waits for its payee. */
const CARD_WITHIN = '14 days';
/** What `ledger_open` and `ledger_post` take in one call. */
const POSTS_MAX = 1_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const post = `
-- Holds ('hold'), or gives back ('release'), the gross of these payouts, which their caller has locked or made. A release posts under the
-- key by which a payment settles: of both the second raises NB002, and nothing of its commit stays.
create function payout_post(book uuid, ids uuid[], what text, actor text) returns void
${definer} as $$
declare
  part uuid[];
  owned text[];
  kept text[];
  owners uuid[];
  amounts bigint[];
  own bigint[];
  held bigint[];
  nobody text[];
begin
  perform ledger_refuse_old_snapshot();
  for i in 0 .. (coalesce(cardinality(ids), 0) - 1) / ${POSTS_MAX} loop
    select array_agg(p.id order by p.id), array_agg(coalesce(p.funder, p.person_id) order by p.id),
           array_agg(case when p.funder is null then 'available' else 'funded' end order by p.id),
           array_agg(case when p.funder is null then 'held' else 'funded-held' end order by p.id),
           array_agg(p.gross * ${MICROS} order by p.id)
      into part, owners, owned, kept, amounts
      from payout p where p.id = any (ids[i * ${POSTS_MAX} + 1 : (i + 1) * ${POSTS_MAX}]) and p.project_id = book;
    continue when part is null;
    nobody := array_fill(null::text, array[cardinality(part)]);
    select array_agg(o.account order by o.item) into own from ledger_open(book, owned, owners, nobody) o;
    select array_agg(o.account order by o.item) into held from ledger_open(book, kept, owners, nobody) o;
    perform ledger_post_all(book,
      (select array_agg(case what when 'hold' then 'hold:' else 'resolve:' end || id order by place) from unnest(part) with ordinality u(id, place)),
      array_fill(what, array[cardinality(part)]),
      case what when 'hold' then own else held end, case what when 'hold' then held else own end,
      amounts, part, array_fill(ledger_clock(), array[cardinality(part)]), array_fill(actor, array[cardinality(part)]));
  end loop;
end $$`;

const destinationAdd = `
-- A card or account that its owner bound. Where its token is encrypted already, it is to new_id. The same one again is the row that there is; one
-- that was distrusted is not taken again. Two at once of one payee wait for each other.
create function payout_destination_add(
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
  if (select count(*) from payout_destination d
      where d.project_id = book and d.person_id is not distinct from person and d.phone is not distinct from of_phone and d.removed_at is null) >= ${DESTINATIONS_MAX} then
    raise exception 'a payee has at most ${DESTINATIONS_MAX} destinations' using errcode = 'NB011', detail = 'too-many-destinations';
  end if;
  insert into payout_destination (id, project_id, person_id, phone, rail, token_encrypted, holder_hash, last4, holder_name, phone_matches, pinfl_hash, usable_from, made_at)
    values (new_id, book, person, of_phone, of_rail, token, holder, digits, holder_called, phone_is_theirs, pinfl, now_at + interval '${COOL_DOWN}', now_at);
  return new_id;
end $$`;

const destinationRemove = `
-- By its person. What is under way to it is refused when finance submits it, or ends.
create function payout_destination_remove(destination uuid, person uuid) returns void
${definer} as $$
begin
  update payout_destination d set removed_at = ledger_clock() where d.id = destination and d.person_id = person and d.removed_at is null;
  if not found then raise exception 'no such destination' using errcode = 'NB028'; end if;
end $$`;

const payable = `
-- Raises where nothing may go there. Of a withdrawal it is the person's own; of another payout the payee's, by person or by phone.
create function payout_refuse_destination(book uuid, destination uuid, of_rail text, person uuid, of_phone text) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  d payout_destination%rowtype;
begin
  select x.* into d from payout_destination x where x.id = destination;
  if d.id is null or d.project_id <> book or d.removed_at is not null or d.distrusted_at is not null or d.rail <> of_rail
     or (d.person_id = person or d.phone = of_phone) is not true then
    raise exception 'the destination is not there' using errcode = 'NB011', detail = 'destination-gone';
  end if;
  if d.usable_from > ledger_clock() then
    raise exception 'the destination is too new' using errcode = 'NB011', detail = 'destination-new';
  end if;
end $$;

-- Raises where this person is paid nothing now.
create function payout_refuse_person(person uuid) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if exists (select from payout_block x where x.person_id = person and x.lifted_at is null and (x.until is null or x.until > ledger_clock())) then
    raise exception 'the person is blocked' using errcode = 'NB011', detail = 'blocked';
  end if;
end $$`;

const deviceAsked = `
-- Whether a device of the person is to confirm. A device that is new answers nothing about money; nor is one evaded by revoking it.
create function payout_asks_device(person uuid) returns boolean
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  since constant timestamptz := ledger_clock() - interval '${COOL_DOWN}';
begin
  if exists (select from device d where d.person_id = person and d.kind = 'app' and d.revoked_at is null and d.bound_at <= since) then return true; end if;
  if exists (select from device d where d.person_id = person and d.kind = 'app' and d.bound_at is not null and (d.revoked_at is null or d.revoked_at > since)) then
    raise exception 'the devices are too new' using errcode = 'NB011', detail = 'device-new';
  end if;
  return false;
end $$`;

const limits = `
-- Raises where a person asks for more than they may. The caller holds the payee's lock: what two ask for at once is counted in turn.
create function payout_refuse_withdrawal(book uuid, person uuid, asked bigint) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  today constant timestamptz := ((ledger_clock() at time zone 'Asia/Tashkent')::date)::timestamp at time zone 'Asia/Tashkent';
  open_now int;
  of_today numeric;
begin
  if asked > ${WITHDRAWAL_MAX} then raise exception 'too much' using errcode = 'NB011', detail = 'above-limit'; end if;
  perform payout_refuse_person(person);
  if exists (select from ledger_account a where a.project_id = book and a.class = 'receivable' and a.owner = person and a.balance < 0) then
    raise exception 'the person owes money' using errcode = 'NB011', detail = 'receivable-open';
  end if;
  select count(*) filter (where p.state in ('confirming', 'pending', 'batched')),
         coalesce(sum(p.gross) filter (where p.created_at >= today and p.state not in ('cancelled', 'failed')), 0)
    into open_now, of_today
    from payout p where p.project_id = book and p.person_id = person and p.source = 'withdrawal'
     and (p.created_at >= today or p.state in ('confirming', 'pending', 'batched'));
  if open_now >= ${OPEN_MAX} then raise exception 'too many are open' using errcode = 'NB011', detail = 'too-many-open'; end if;
  if of_today + asked > ${DAY_MAX} then raise exception 'too much in a day' using errcode = 'NB011', detail = 'above-limit'; end if;
end $$`;

const ask = `
-- A person's withdrawal, or what a customer's key asks for: the row and its hold, in one commit. NB001: there is not that much.
--
-- Two withdrawals of a person at once: the second waits for the first and counts it. Two of one balance, of whatever persons a project
-- pays: the book is one lock, and the second sees what is left. Two of one (funder, reference): the second is answered with the first,
-- or NB002 where it asks for something else.
create function payout_ask(
  book uuid, of_source text, by_funder uuid, person uuid, of_phone text, payee text, why text, ref text, destination uuid, of_rail text,
  asked bigint, our_fee bigint, asker text)
returns table (id uuid, state text, version int, repeated boolean)
${definer} as $$
#variable_conflict use_column
declare
  made payout%rowtype;
  first_state text;
begin
  perform ledger_refuse_old_snapshot();
  if of_source not in ('withdrawal', 'api') or (of_source = 'withdrawal') is distinct from (by_funder is null)
     or of_source = 'withdrawal' and (person is null or destination is null or of_phone is not null or ref is not null or asker <> 'person')
     or of_source = 'api' and (ref is null or asker !~ '^key:') then
    raise exception 'not a payout that is asked for so' using errcode = 'NB004';
  end if;
  if asked < ${GROSS_MIN} then raise exception 'too little' using errcode = 'NB011', detail = 'below-minimum'; end if;
  if asked > ${DAY_MAX} then raise exception 'too much' using errcode = 'NB011', detail = 'above-limit'; end if;
  perform pg_advisory_xact_lock(hashtextextended('payee:' || coalesce(person::text, of_phone), 0));
  if of_source = 'api' then
    select p.* into made from payout p where p.funder = by_funder and p.reference = ref and p.source = 'api';
    if made.id is not null then
      if (made.project_id, made.person_id, made.phone, made.payee_name, made.purpose, made.gross, made.fee)
         is distinct from (book, person, of_phone, payee, why, asked, our_fee) then
        raise exception 'the reference stands for another payout' using errcode = 'NB002';
      end if;
      return query select made.id, made.state, made.version, true;
      return;
    end if;
  end if;
  -- Its table comes with a later migration.
  if exists (select from rail r where r.id in (of_rail, 'all') and r.stopped_at is not null) then
    raise exception 'the rail is closed' using errcode = 'NB011', detail = 'rail-closed';
  end if;
  if of_source = 'withdrawal' then
    perform payout_refuse_withdrawal(book, person, asked);
  elsif person is not null then
    perform payout_refuse_person(person);
  end if;
  if destination is not null then perform payout_refuse_destination(book, destination, of_rail, person, of_phone); end if;
  first_state := case
    when destination is null then 'awaiting-card'
    when of_source = 'withdrawal' and payout_asks_device(person) then 'confirming'
    else 'pending' end;
  insert into payout (project_id, source, funder, person_id, phone, payee_name, purpose, reference, destination_id, rail, gross, fee, net, state, asked_by, created_at, state_at, expires_at)
    values (book, of_source, by_funder, person, of_phone, payee, why, ref, destination, of_rail, asked, our_fee, asked - our_fee, first_state, asker, ledger_clock(), ledger_clock(),
      case first_state when 'confirming' then ledger_clock() + interval '${CONFIRM_WITHIN}' when 'awaiting-card' then ledger_clock() + interval '${CARD_WITHIN}' end)
    on conflict (funder, reference) where source = 'api' do nothing
    returning * into made;
  -- Another payee under the same reference, committed meanwhile.
  if made.id is null then raise exception 'the reference stands for another payout' using errcode = 'NB002'; end if;
  perform payout_post(book, array[made.id], 'hold', asker);
  return query select made.id, made.state, made.version, false;
end $$`;

const cancel = `
-- Before it stands in a batch: by its person, or by staff (person is null). Its money is given back in the same commit. Cancelling and
-- adding to a batch at once: the second waits for the payout's row and finds another state (NB010).
create function payout_cancel(payout uuid, person uuid, why text, actor text)
returns table (state text, version int)
${definer} as $$
#variable_conflict use_column
declare
  p payout%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  select x.* into p from payout x where x.id = payout_cancel.payout
    and (payout_cancel.person is null or x.source = 'withdrawal' and x.person_id = payout_cancel.person) for no key update;
  if p.id is null then raise exception 'no such payout' using errcode = 'NB028'; end if;
  if p.state not in ('confirming', 'awaiting-card', 'pending') then
    raise exception 'a payout that is % is not cancelled', p.state using errcode = 'NB010', detail = p.state;
  end if;
  update payout x set state = 'cancelled', reason = why where x.id = p.id returning x.* into p;
  perform payout_post(p.project_id, array[p.id], 'release', actor);
  return query select p.state, p.version;
end $$`;

const confirm = `
-- What the person's device signed decides: approved makes it pending; denied, reported or mismatched cancels it and gives the money back.
-- Only a signature over this very payment counts: its person, its amount, and the purpose of withdrawing. Repeats find another state.
create function payout_confirm(verification uuid) returns text
${definer} as $$
declare
  p payout%rowtype;
  answer text;
begin
  perform ledger_refuse_old_snapshot();
  select x.* into p from payout x where x.verification_id = verification for no key update;
  if p.id is null then return null; end if;
  if p.state <> 'confirming' then return p.state; end if;
  select a.result into answer from approval a
    where a.verification_id = verification and a.person_id = p.person_id
      and (a.result <> 'approved' or (
        a.statement::jsonb ->> 'purpose' = 'navbat.withdraw' and a.statement::jsonb ->> 'decision' = 'approve'
        and a.statement::jsonb #>> '{context,payment,amount}' = p.gross::text and a.statement::jsonb #>> '{context,payment,currency}' = 'UZS'))
    -- A no stands, whatever else was said.
    order by a.result = 'approved', a.at limit 1;
  if answer is null then return p.state; end if;
  if answer = 'approved' then
    update payout x set state = 'pending' where x.id = p.id returning x.* into p;
  else
    update payout x set state = 'cancelled', reason = answer where x.id = p.id returning x.* into p;
    perform payout_post(p.project_id, array[p.id], 'release', 'person');
  end if;
  return p.state;
end $$`;

const challenge = `
-- Which challenge asks the device. Where the answer was faster, it decides at once.
create function payout_challenge(payout uuid, verification uuid) returns text
${definer} as $$
declare
  p payout%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  select x.* into p from payout x where x.id = payout_challenge.payout for no key update;
  if p.id is null then raise exception 'no such payout' using errcode = 'NB028'; end if;
  if p.verification_id is not distinct from verification then return p.state; end if;
  if p.state <> 'confirming' then
    raise exception 'a payout that is % asks no device', p.state using errcode = 'NB010', detail = p.state;
  end if;
  update payout x set verification_id = verification where x.id = p.id;
  return payout_confirm(verification);
end $$`;

const onApproval = `
-- The hook on identity's approvals, as the owner: who writes of people may not write of money. It holds the payout, and for a no the book.
-- A book that is held too long does not keep the answer from being kept: a tick gives the money back (payout_confirm_due).
create function payout_on_approval() returns trigger
${definer} as $$
begin
  if exists (select from payout p where p.verification_id = new.verification_id and p.state = 'confirming') then
    begin
      perform payout_confirm(new.verification_id);
    exception when lock_not_available then null;
    end;
  end if;
  return null;
end $$;
create trigger payout_on_approval after insert on approval for each row execute function payout_on_approval()`;

const bind = `
-- The card that the payee of a link bound. Twice at once: the second waits, and is refused (NB010), or answered alike for the same card.
create function payout_bind(payout uuid, destination uuid, score smallint)
returns table (state text, version int)
${definer} as $$
#variable_conflict use_column
declare
  p payout%rowtype;
  d payout_destination%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  select x.* into p from payout x where x.id = payout_bind.payout for no key update;
  if p.id is null then raise exception 'no such payout' using errcode = 'NB028'; end if;
  if p.state <> 'awaiting-card' then
    if p.destination_id = destination and p.state <> 'cancelled' then return query select p.state, p.version; return; end if;
    raise exception 'a payout that is % waits for no card', p.state using errcode = 'NB010', detail = p.state;
  end if;
  select x.* into d from payout_destination x where x.id = destination;
  if d.id is null or d.project_id <> p.project_id or d.removed_at is not null or d.distrusted_at is not null
     or (d.person_id = p.person_id or d.phone = p.phone) is not true then
    raise exception 'the destination is not there' using errcode = 'NB011', detail = 'destination-gone';
  end if;
  update payout x set state = 'pending', destination_id = d.id, rail = d.rail, name_score = score where x.id = p.id returning x.* into p;
  return query select p.state, p.version;
end $$`;

const confirmDue = `
-- Answers that their own commit could not act on, or that came before their challenge was known. For housekeeping. All payouts are locked
-- before the book is: two at once take different rows, and neither waits for the other's while it holds the book.
create function payout_confirm_due(most int) returns int
${definer} as $$
declare
  done int := 0;
  of_one uuid;
  answered uuid[];
begin
  with found as (
    select p.verification_id from payout p
    where p.state = 'confirming' and exists (select from approval a where a.verification_id = p.verification_id)
    order by p.id limit most for no key update skip locked)
  select array_agg(f.verification_id) into answered from found f;
  foreach of_one in array coalesce(answered, '{}') loop
    if payout_confirm(of_one) <> 'confirming' then done := done + 1; end if;
  end loop;
  return done;
end $$`;

const expire = `
-- Nobody answered, or no card was bound, in time: the money goes back. Two at once take different rows.
create function payout_expire(most int) returns setof uuid
${definer} as $$
declare
  book uuid;
  late uuid[];
begin
  perform ledger_refuse_old_snapshot();
  for book, late in
    with found as (
      select p.id, p.project_id from payout p
      where p.expires_at <= navbat_now() and p.state in ('confirming', 'awaiting-card')
      order by p.id limit least(most, ${POSTS_MAX}) for no key update skip locked)
    select f.project_id, array_agg(f.id) from found f group by 1 order by 1
  loop
    update payout p set state = 'cancelled', reason = 'expired' where p.id = any (late);
    perform payout_post(book, late, 'release', 'housekeeping');
    return query select unnest(late);
  end loop;
end $$`;

const noticesTake = `
-- Marks notices as handed and answers them: in the commit that makes their messages. Two at once take different rows.
create function payout_notice_take(most int) returns table (payout_id uuid, what text, at timestamptz)
${definer} as $$
#variable_conflict use_column
begin
  return query
    update payout_notice x set handed_at = ledger_clock()
    where (x.payout_id, x.what) in (
      select w.payout_id, w.what from payout_notice w where w.handed_at is null order by w.at limit most for no key update skip locked)
    returning x.payout_id, x.what, x.at;
end $$`;

const noneForPublic = `
revoke execute on function
  payout_post(uuid, uuid[], text, text), payout_destination_add(uuid, uuid, text, text, bytea, bytea, text, text, boolean, bytea, uuid),
  payout_destination_remove(uuid, uuid), payout_refuse_destination(uuid, uuid, text, uuid, text), payout_refuse_person(uuid), payout_asks_device(uuid),
  payout_refuse_withdrawal(uuid, uuid, bigint),
  payout_ask(uuid, text, uuid, uuid, text, text, text, text, uuid, text, bigint, bigint, text),
  payout_cancel(uuid, uuid, text, text), payout_confirm(uuid), payout_challenge(uuid, uuid), payout_on_approval(), payout_bind(uuid, uuid, smallint),
  payout_confirm_due(int), payout_expire(int), payout_notice_take(int)
from public`;
