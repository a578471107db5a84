import { Migration } from '@mikro-orm/migrations';

/**
 * Finance's own lists, imported whole or not at all, and the links by which payees without a card bind one
 * (docs/adr/0030-lists-and-links.md).
 *
 * Locks, as of asking: the payee (advisory), the payout, its link, the book.
 */
export class Migration20261129182000PayLists extends Migration {
  override up(): void {
    for (const sql of [
      imports,
      importsAreKept,
      begin,
      lines,
      whole,
      links,
      linksAreKept,
      makeLink,
      sentLink,
      beginBinding,
      bind,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

/** 1 tiyin in the ledger's unit. */
const MICROS = 10_000;
/** How long a link waits for its payee, as of what a customer asks for. */
const CARD_WITHIN = '14 days';
/** What one call takes: half a second. */
const LINES_MAX = 5_000;
/** A link that was made and not handed over by then was lost with its process. */
const SEND_WITHIN = '10 minutes';
const REMIND_AFTER = '3 days';
/** Of one payout: the first, its reminder, and those that could not be sent. */
const LINKS_MAX = 6;
/** Of one link in an hour: each opens a form at the rail. */
const BINDINGS_MAX = 10;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const imports = `
-- Under which Idempotency-Key a list was imported: for ever, so that no repeat imports it again.
create table payout_list_import (
  project_id uuid not null,
  staff_id uuid not null references staff,
  key text not null check (key ~ '^[!-~]{1,255}$' and not holds_card_number(key)),
  list_id uuid not null unique references payout_list,
  rail money_text not null check (rail in ('multicard', 'bank-file')),
  primary key (project_id, staff_id, key)
);
create index payout_recent on payout (project_id, phone, gross, created_at) where source = 'list'`;

const importsAreKept = `
create trigger payout_list_import_kept before update or delete or truncate on payout_list_import
  for each statement execute function payout_refuse_change()`;

const begin = `
-- The list itself; its lines follow in the same commit, which fails where they are not all there. NB001: the funder has too little; the
-- detail is how many tiyin are missing. The same key again: the same list, or NB002 where something else is asked.
create function list_import(book uuid, staff uuid, of_key text, of_funder uuid, called text, of_rail text, hash bytea, of_lines int, of_total bigint)
returns table (list uuid, repeated boolean)
${definer} as $$
declare
  made payout_list%rowtype;
  of_known text;
  has bigint;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, '{finance}');
  perform pg_advisory_xact_lock(hashtextextended('list:' || staff || ' ' || of_key, 0));
  select l.* into made from payout_list l join payout_list_import i on i.list_id = l.id
    where i.project_id = book and i.staff_id = list_import.staff and i.key = of_key;
  if made.id is not null then
    select i.rail into of_known from payout_list_import i where i.list_id = made.id;
    if (made.funder, made.name, made.sha256, made.lines, made.total, of_known) is distinct from (of_funder, called, hash, of_lines, of_total, of_rail) then
      raise exception 'the key stands for another list' using errcode = 'NB002';
    end if;
    return query select made.id, true;
    return;
  end if;
  select coalesce(sum(a.balance), 0) into has from ledger_account a where a.project_id = book and a.class = 'funded' and a.owner = of_funder;
  if has < of_total * ${MICROS} then
    raise exception 'the funds do not suffice' using errcode = 'NB001', detail = ceil((of_total * ${MICROS} - has) / ${MICROS}::numeric)::text;
  end if;
  insert into payout_list (project_id, funder, name, sha256, lines, total, imported_by, at)
    values (book, of_funder, called, hash, of_lines, of_total, staff, ledger_clock()) returning * into made;
  insert into payout_list_import (project_id, staff_id, key, list_id, rail) values (book, staff, of_key, made.id, of_rail);
  insert into payout_action (subject, staff_id, action, hash, count, total, at)
    values (made.id::text, staff, 'list-import', hash, of_lines, of_total, made.at);
  return query select made.id, false;
end $$`;

const lines = `
-- Some lines of a list: a payout each, with its hold. Where the phone is a person's, it is theirs; where there is a destination, it waits
-- for no card. Lines beyond what the list says it has are refused, so that none is added to a list later. address_hashes: as identity knows
-- the phones.
create function list_import_lines(
  of_list uuid, of_lines int[], phones text[], address_hashes bytea[], names text[], purposes text[], amounts bigint[], destinations uuid[], scores smallint[])
returns void
${definer} as $$
declare
  l payout_list%rowtype;
  of_rail text;
  ids uuid[];
begin
  perform ledger_refuse_old_snapshot();
  select x.* into l from payout_list x where x.id = of_list;
  select i.rail into of_rail from payout_list_import i where i.list_id = of_list;
  if l.id is null or coalesce(cardinality(of_lines), 0) not between 1 and ${LINES_MAX} then
    raise exception 'no lines of a list' using errcode = 'NB004';
  end if;
  with asked as (
    select u.*, (select p.person_id from person_phone p where p.address_hash = u.address_hash and p.phone = u.phone) person
      from unnest(of_lines, phones, address_hashes, names, purposes, amounts, destinations, scores)
        u(line, phone, address_hash, name, purpose, amount, destination, score)
  ), made as (
    insert into payout (project_id, source, funder, person_id, phone, payee_name, purpose, list_id, list_line, destination_id, rail, gross, fee, net, state, name_score,
        asked_by, created_at, state_at, expires_at)
      select l.project_id, 'list', l.funder, a.person, a.phone, a.name, a.purpose, l.id, a.line, a.destination, of_rail, a.amount, 0, a.amount,
             case when a.destination is null then 'awaiting-card' else 'pending' end, a.score, 'staff:' || l.imported_by, l.at, l.at,
             case when a.destination is null then l.at + interval '${CARD_WITHIN}' end
        from asked a
      returning id, destination_id, person_id, phone
  )
  select array_agg(m.id order by m.id) into ids from made m;
  if exists (
    select from payout p left join payout_destination d on d.id = p.destination_id
     where p.id = any (ids) and p.destination_id is not null
       and (d.project_id <> p.project_id or d.removed_at is not null or d.distrusted_at is not null or d.rail <> p.rail
            or (d.person_id = p.person_id or d.phone = p.phone) is not true)) then
    raise exception 'the destination is not there' using errcode = 'NB011', detail = 'destination-gone';
  end if;
  if (select count(*) > l.lines or sum(p.gross) > l.total from payout p where p.list_id = l.id) then
    raise exception 'a list has no further lines' using errcode = 'NB004';
  end if;
  perform payout_post(l.project_id, ids, 'hold', 'staff:' || l.imported_by);
end $$`;

const whole = `
-- Asked as the transaction commits: no part of a list is ever there.
create function payout_list_is_whole() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if (select (count(*), coalesce(sum(p.gross), 0)) from payout p where p.list_id = new.id) <> (new.lines::bigint, new.total::numeric) then
    raise exception 'not all lines of the list are there' using errcode = 'NB004';
  end if;
  return null;
end $$;
create constraint trigger payout_list_is_whole after insert on payout_list deferrable initially deferred
  for each row execute function payout_list_is_whole()`;

const links = `
-- By whom a payee binds a card: whoever has the link. Of its token the hash alone is kept.
create table payout_link (
  id uuid primary key default uuidv7(),
  payout_id uuid not null references payout,
  token_hash bytea not null unique check (length(token_hash) = 32),
  channel text not null check (channel in ('telegram', 'sms')),
  is_reminder boolean not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  -- When messages, or a provider of SMS, had it.
  sent_at timestamptz,
  -- When somebody first went to the rail's form by it.
  opened_at timestamptz,
  used_at timestamptz,
  revoked_at timestamptz
);
-- One that works, for each payout.
create unique index payout_link_live on payout_link (payout_id) where used_at is null and revoked_at is null;
create index payout_link_payout on payout_link (payout_id);
-- A form of the rail that somebody went to. session: what the rail calls it.
create table payout_binding (
  id uuid primary key,
  link_id uuid not null references payout_link,
  session money_text not null,
  begun_at timestamptz not null,
  ended_at timestamptz
);
create index payout_binding_link on payout_binding (link_id, begun_at)`;

const linksAreKept = `
create trigger payout_link_kept before delete or truncate or update of id, payout_id, token_hash, channel, is_reminder, made_at, expires_at on payout_link
  for each statement execute function payout_refuse_change();
create trigger payout_binding_kept before delete or truncate or update of id, link_id, session, begun_at on payout_binding
  for each statement execute function payout_refuse_change();
create trigger payout_link_ends_once before update on payout_link for each row
  when (old.used_at is not null or old.revoked_at is not null) execute function payout_refuse_change()`;

const makeLink = `
-- A new link, where one is due: the first, one in place of a link that was not sent, or the reminder; the one before stops working. No row where none is due. Two at once: the second
-- waits for the payout and finds a link that is young.
create function payout_link_make(of_payout uuid, hash bytea, by_channel text) returns table (id uuid, is_reminder boolean)
${definer} as $$
#variable_conflict use_column
declare
  p payout%rowtype;
  l payout_link%rowtype;
  now_at timestamptz;
begin
  select x.* into p from payout x where x.id = of_payout for no key update;
  now_at := ledger_clock();
  if p.id is null or p.state <> 'awaiting-card' or p.expires_at <= now_at then return; end if;
  select x.* into l from payout_link x where x.payout_id = p.id and x.used_at is null and x.revoked_at is null for no key update;
  if l.id is not null and not (
       l.sent_at is null and l.made_at <= now_at - interval '${SEND_WITHIN}'
       or coalesce(l.sent_at <= now_at - interval '${REMIND_AFTER}', false) and not l.is_reminder)
     or (select count(*) from payout_link x where x.payout_id = p.id) >= ${LINKS_MAX} then
    return;
  end if;
  update payout_link x set revoked_at = now_at where x.id = l.id;
  return query insert into payout_link (payout_id, token_hash, channel, is_reminder, made_at, expires_at)
    values (p.id, hash, by_channel, l.sent_at is not null or coalesce(l.is_reminder, false), now_at, p.expires_at) returning id, is_reminder;
end $$`;

const sentLink = `
create function payout_link_sent(link uuid) returns void
${definer} as $$
begin
  update payout_link l set sent_at = ledger_clock() where l.id = link and l.sent_at is null and l.used_at is null and l.revoked_at is null;
end $$`;

const beginBinding = `
-- Somebody went to the rail's form: 'begun', 'gone' where the link does not work (any more), or 'too-many'.
create function payout_binding_begin(binding uuid, hash bytea, of_session text) returns text
${definer} as $$
declare
  l payout_link%rowtype;
  now_at timestamptz;
begin
  select x.* into l from payout_link x where x.token_hash = hash for no key update;
  now_at := ledger_clock();
  if l.id is null or l.used_at is not null or l.revoked_at is not null or l.expires_at <= now_at
     or not exists (select from payout p where p.id = l.payout_id and p.state = 'awaiting-card') then
    return 'gone';
  end if;
  if (select count(*) from payout_binding b where b.link_id = l.id and b.begun_at > now_at - interval '1 hour') >= ${BINDINGS_MAX} then
    return 'too-many';
  end if;
  insert into payout_binding (id, link_id, session, begun_at) values (binding, l.id, of_session, now_at);
  update payout_link x set opened_at = now_at where x.id = l.id and x.opened_at is null;
  return 'begun';
end $$`;

const bind = `
-- The card of a form, whose destination its caller has added in this commit: the payout, and the end of the link. A link that was revoked, used or is too
-- old binds nothing (NB010), and neither does one whose payout was cancelled. The same binding again is answered alike.
create function payout_link_bind(binding uuid, destination uuid, score smallint) returns void
${definer} as $$
declare
  l payout_link%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  select x.* into l from payout_link x join payout_binding b on b.link_id = x.id where b.id = binding;
  if l.id is null then raise exception 'no such binding' using errcode = 'NB028'; end if;
  perform payout_bind(l.payout_id, destination, score);
  select x.* into l from payout_link x where x.id = l.id for no key update;
  if l.used_at is null then
    if l.revoked_at is not null or l.expires_at <= ledger_clock() then
      raise exception 'the link does not work any more' using errcode = 'NB010', detail = 'revoked';
    end if;
    update payout_link x set used_at = ledger_clock() where x.id = l.id;
  end if;
  update payout_binding b set ended_at = ledger_clock() where b.id = binding and b.ended_at is null;
end $$`;

const noneForPublic = `
revoke execute on function
  payout_list_is_whole(), list_import(uuid, uuid, text, uuid, text, text, bytea, int, bigint),
  list_import_lines(uuid, int[], text[], bytea[], text[], text[], bigint[], uuid[], smallint[]),
  payout_link_make(uuid, bytea, text), payout_link_sent(uuid), payout_binding_begin(uuid, bytea, text), payout_link_bind(uuid, uuid, smallint)
from public`;
