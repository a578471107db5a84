import { Migration } from '@mikro-orm/migrations';

/**
 * A link leaves by a job of its own, in the commit that makes it: by the bot, or by SMS (docs/adr/0030-lists-and-links.md). Until it has left, its
 * token is kept encrypted.
 *
 * Locks, as before: the payout, its link. Whoever ends a job locks the link alone.
 */
export class Migration20261129193000PayLinkJobs extends Migration {
  override up(): void {
    for (const sql of [columns, kept, endsOnce, gone, write, make, again, noneForPublic]) this.addSql(sql);
  }
}

/** Navbat's own project, as whose messages links go. */
const PLATFORM_PROJECT_ID = '01990000-0000-7000-8000-000000000001';
/** Of links of before, which had no job: made and not handed over by then, they were lost with their process. */
const SEND_WITHIN = '10 minutes';
const REMIND_AFTER = '3 days';
/** What reached nobody is tried once more: a provider was set up since, or has money again. */
const RETRY_AFTER = '1 day';
/** Of one payout, that reached somebody: the first, its reminder, and those that finance asked for. */
const SENT_MAX = 6;
/** Of one payout, those too that reached nobody: a fortnight of them, and some for people who come and go. */
const MADE_MAX = 30;
/** Finance sends again so often, of one payout. */
const AGAIN_AFTER = '1 hour';
const AGAIN_MAX = 3;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const columns = `
alter table payout_link
  -- By which it left; null until then.
  alter column channel drop not null,
  -- What sends it; null of links of before.
  add column job_id uuid unique,
  -- Bound to the id; null once it has left, or nobody took it.
  add column token_encrypted bytea,
  -- Of the phone, as identity knows it: by it a payee is found who came to the bot since.
  add column address_hash bytea,
  -- When nobody was found who takes it.
  add column failed_at timestamptz,
  -- Who of finance asked for it.
  add column asked_by uuid references staff,
  add constraint payout_link_is_sent_or_failed check (sent_at is null or failed_at is null);
create index payout_link_unsent on payout_link (expires_at) where token_encrypted is not null`;

const kept = `
drop trigger payout_link_kept on payout_link;
create trigger payout_link_kept
  before delete or truncate or update of id, payout_id, token_hash, is_reminder, made_at, expires_at, job_id, address_hash, asked_by on payout_link
  for each statement execute function payout_refuse_change()`;

const endsOnce = `
-- A payee may be faster than the job, which then still says that it left.
drop trigger payout_link_ends_once on payout_link;
create trigger payout_link_ends_once before update of opened_at, used_at, revoked_at on payout_link for each row
  when (old.used_at is not null or old.revoked_at is not null) execute function payout_refuse_change()`;

const gone = `
drop function payout_link_sent(uuid);
drop function payout_link_make(uuid, bytea, text)`;

const write = `
-- The link, its job and a turn for it, of whoever has decided so under the payout's lock; the one before stops working.
create or replace function payout_link_write(p payout, before uuid, link uuid, hash bytea, encrypted bytea, address bytea, reminder boolean, staff uuid)
returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  job constant uuid := uuidv7();
  now_at constant timestamptz := ledger_clock();
begin
  update payout_link x set revoked_at = now_at where x.id = before;
  insert into payout_link (id, payout_id, token_hash, is_reminder, made_at, expires_at, job_id, token_encrypted, address_hash, asked_by)
    values (link, p.id, hash, reminder, now_at, p.expires_at, job, encrypted, address, staff);
  insert into job (id, kind, project_id, subject_id, state, payload, labels, run_at, deadline_at, accepted_at)
    select job, 'payout-link', o.id, link, 'queued', jsonb_build_object('link_id', link),
           jsonb_build_object('project', o.slug, 'to', left(p.phone, 4) || repeat('•', greatest(length(p.phone) - 6, 0)) || right(p.phone, 2)),
           now_at, p.expires_at, now_at
    from project o where o.id = '${PLATFORM_PROJECT_ID}';
  if not found then raise exception 'there is no project to send as' using errcode = 'NB004'; end if;
  insert into turn_request (kind, project_id) values ('payout-link', '${PLATFORM_PROJECT_ID}');
end $$`;

const make = `
-- A link with its job, where one is due: the first; the reminder; or, where the one before reached nobody, another a day later, or as soon as
-- its payee has come to the bot. False where none is due. Two at once: the second waits for the payout, and finds a link that is young.
create or replace function payout_link_make(of_payout uuid, link uuid, hash bytea, encrypted bytea, address bytea) returns boolean
${definer} as $$
declare
  p payout%rowtype;
  l payout_link%rowtype;
  now_at timestamptz;
  lost boolean;
  sent bigint;
  made bigint;
begin
  select x.* into p from payout x where x.id = of_payout for no key update;
  now_at := ledger_clock();
  if p.id is null or p.state <> 'awaiting-card' or p.phone is null or p.expires_at <= now_at then return false; end if;
  select x.* into l from payout_link x where x.payout_id = p.id and x.used_at is null and x.revoked_at is null for no key update;
  select count(x.sent_at), count(*) into sent, made from payout_link x where x.payout_id = p.id;
  lost := l.failed_at is not null or exists (
    select from attempt a where a.job_id = l.job_id and a.outcome = 'completed' and a.delivery in ('failed', 'expired'));
  if made >= ${MADE_MAX} or sent >= ${SENT_MAX} or l.id is not null and not (
       l.job_id is null and l.sent_at is null and l.made_at <= now_at - interval '${SEND_WITHIN}'
       or not lost and not l.is_reminder and coalesce(l.sent_at <= now_at - interval '${REMIND_AFTER}', false)
       or lost and (coalesce(l.failed_at, l.sent_at) <= now_at - interval '${RETRY_AFTER}' or exists (
            select from person_phone f join person_chat h on h.person_id = f.person_id and h.mode = 'live'
            left join telegram_chat c on c.chat_id = h.telegram_id
            where f.address_hash = l.address_hash and f.phone = p.phone and (p.person_id is null or f.person_id = p.person_id)
              and c.closed_reason is null and greatest(f.proven_at, h.proven_at, c.opened_at) > l.made_at))) then
    return false;
  end if;
  perform payout_link_write(p, l.id, link, hash, encrypted, address, coalesce(l.is_reminder or l.sent_at is not null and not lost, false), null);
  return true;
end $$`;

const again = `
-- Finance sends the link again, to the phone that the payout has: 'made', or why not. 'on-its-way': the one before has not left yet.
create or replace function payout_link_again(book uuid, of_payout uuid, staff uuid, link uuid, hash bytea, encrypted bytea, address bytea) returns text
${definer} as $$
declare
  p payout%rowtype;
  l payout_link%rowtype;
  now_at timestamptz;
begin
  perform payout_staff_may(staff, '{finance}');
  select x.* into p from payout x where x.id = of_payout and x.project_id = book for no key update;
  now_at := ledger_clock();
  if p.id is null then return 'unknown'; end if;
  if p.state <> 'awaiting-card' or p.phone is null or p.expires_at <= now_at then return 'not-waiting'; end if;
  select x.* into l from payout_link x where x.payout_id = p.id and x.used_at is null and x.revoked_at is null for no key update;
  if l.job_id is not null and l.sent_at is null and l.failed_at is null then return 'on-its-way'; end if;
  if exists (select from payout_link x where x.payout_id = p.id and x.asked_by is not null and x.made_at > now_at - interval '${AGAIN_AFTER}') then
    return 'too-soon';
  end if;
  if (select count(*) from payout_link x where x.payout_id = p.id and x.asked_by is not null) >= ${AGAIN_MAX} then return 'too-many'; end if;
  perform payout_link_write(p, l.id, link, hash, encrypted, address, coalesce(l.is_reminder, false), staff);
  insert into payout_action (subject, staff_id, action, at) values (p.id::text, staff, 'link-again', now_at);
  return 'made';
end $$`;

const noneForPublic = `
revoke execute on function
  payout_link_write(payout, uuid, uuid, bytea, bytea, bytea, boolean, uuid), payout_link_make(uuid, uuid, bytea, bytea, bytea),
  payout_link_again(uuid, uuid, uuid, uuid, bytea, bytea, bytea)
from public`;
