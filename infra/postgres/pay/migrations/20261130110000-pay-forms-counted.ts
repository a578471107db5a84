import { Migration } from '@mikro-orm/migrations';

/**
 * A form of the rail is counted before the rail is asked to open it. What costs is refused before it costs, and two at once do not pass the
 * limit together (docs/adr/0030-lists-and-links.md).
 *
 * Locks, as before: the link, or the person (advisory).
 */
export class Migration20261130110000PayFormsCounted extends Migration {
  override up(): void {
    for (const sql of [
      sessions,
      kept,
      gone,
      works,
      linkBegins,
      linkOpened,
      personBegins,
      personOpened,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

/** Of one link, or of one person, in an hour. A form that the rail did not open counts too: it was asked for it. */
const FORMS_MAX = 10;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const sessions = `
-- Null until the rail has opened the form.
alter table payout_binding alter column session drop not null;
alter table payout_person_binding alter column session drop not null`;

const kept = `
drop trigger payout_binding_kept on payout_binding;
create trigger payout_binding_kept before delete or truncate or update of id, link_id, begun_at on payout_binding
  for each statement execute function payout_refuse_change();
create trigger payout_binding_opened_once before update of session on payout_binding for each row
  when (old.session is not null) execute function payout_refuse_change();
drop trigger payout_person_binding_kept on payout_person_binding;
create trigger payout_person_binding_kept before delete or truncate or update of id, project_id, person_id, phone, begun_at
  on payout_person_binding for each statement execute function payout_refuse_change();
create trigger payout_person_binding_opened_once before update of session on payout_person_binding for each row
  when (old.session is not null) execute function payout_refuse_change()`;

const gone = `
drop function payout_binding_begin(uuid, bytea, text);
drop function payout_person_binding_begin(uuid, uuid, uuid, text, text)`;

const works = `
-- Whether a card may be bound by it.
create or replace function payout_link_works(l payout_link, now_at timestamptz) returns boolean
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select l.id is not null and l.used_at is null and l.revoked_at is null and l.expires_at > now_at
    and exists (select from payout p where p.id = l.payout_id and p.state = 'awaiting-card') $$`;

const linkBegins = `
-- Somebody wants the rail's form, which is counted: 'begun', 'gone' where the link does not work (any more), or 'too-many'. Two at once of
-- one link wait for each other, and are both counted.
create or replace function payout_binding_begin(binding uuid, hash bytea) returns text
${definer} as $$
declare
  l payout_link%rowtype;
  now_at timestamptz;
begin
  select x.* into l from payout_link x where x.token_hash = hash for no key update;
  now_at := ledger_clock();
  if not payout_link_works(l, now_at) then return 'gone'; end if;
  if (select count(*) from payout_binding b where b.link_id = l.id and b.begun_at > now_at - interval '1 hour') >= ${FORMS_MAX} then
    return 'too-many';
  end if;
  insert into payout_binding (id, link_id, begun_at) values (binding, l.id, now_at);
  return 'begun';
end $$`;

const linkOpened = `
-- The rail has opened the form that was counted. session: what the rail calls it. 'opened', or 'gone' where the link has ended since.
create or replace function payout_binding_opened(binding uuid, of_session text) returns text
${definer} as $$
declare
  l payout_link%rowtype;
  now_at timestamptz;
begin
  select x.* into l from payout_link x join payout_binding b on b.link_id = x.id where b.id = binding for no key update of x;
  now_at := ledger_clock();
  if not payout_link_works(l, now_at) then return 'gone'; end if;
  update payout_binding b set session = of_session where b.id = binding;
  update payout_link x set opened_at = now_at where x.id = l.id and x.opened_at is null;
  return 'opened';
end $$`;

const personBegins = `
-- 'begun', or 'too-many'. Two at once of one person wait for each other, and are both counted.
create or replace function payout_person_binding_begin(binding uuid, book uuid, person uuid, of_phone text) returns text
${definer} as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('binding:' || person, 0));
  if (select count(*) from payout_person_binding b where b.person_id = person and b.begun_at > ledger_clock() - interval '1 hour') >= ${FORMS_MAX} then
    return 'too-many';
  end if;
  insert into payout_person_binding (id, project_id, person_id, phone, begun_at) values (binding, book, person, of_phone, ledger_clock());
  return 'begun';
end $$`;

const personOpened = `
create or replace function payout_person_binding_opened(binding uuid, of_session text) returns void
${definer} as $$
begin
  update payout_person_binding b set session = of_session where b.id = binding;
end $$`;

const noneForPublic = `
revoke execute on function
  payout_link_works(payout_link, timestamptz), payout_binding_begin(uuid, bytea), payout_binding_opened(uuid, text),
  payout_person_binding_begin(uuid, uuid, uuid, text), payout_person_binding_opened(uuid, text)
from public`;
