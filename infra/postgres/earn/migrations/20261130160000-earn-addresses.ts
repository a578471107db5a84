import { Migration } from '@mikro-orm/migrations';

/**
 * What becomes of a session because of the addresses that it came from, and a record of each change of it.
 *
 * Locks: the session, as everywhere in earn.
 */
export class Migration20261130160000EarnAddresses extends Migration {
  override up(): void {
    for (const sql of [addresses, audits, kept, seen, retire, forget, noneForPublic]) this.addSql(sql);
  }
}

/** A phone that roams has some dozens a day: who comes from more such addresses is not paid for one more or less. */
const ADDRESSES_MAX = 100;
/** As reports: for who asks why they were not paid. */
const ADDRESSES_KEPT_FOR = '40 days';
/** An appeal comes within thirty days, and is answered while this is there. */
const AUDITS_KEPT_FOR = '90 days';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const addresses = `
-- Addresses of a session that are not simply paid. The strictest is what the session says. None of one that is paid: whose addresses they are
-- is nobody's business.
create table session_address (
  session_id uuid not null references traffic_session,
  address inet not null,
  class text not null check (length(class) <= 20),
  verdict text not null check (verdict in ('review', 'unpaid')),
  reason text not null check (length(reason) <= 60),
  first_at timestamptz not null,
  seen_at timestamptz not null,
  primary key (session_id, address)
);
create index session_address_seen on session_address (seen_at)`;

const audits = `
create table filter_audit (
  id uuid primary key default uuidv7(),
  session_id uuid not null references traffic_session,
  project_id uuid not null,
  person_id uuid not null,
  -- Null once they are no longer kept.
  address inet,
  evidence jsonb check (pg_column_size(evidence) <= 4000),
  class text not null check (length(class) <= 20),
  -- Of the session, from then on.
  verdict text not null check (verdict in ('pay', 'review', 'unpaid')),
  reason text check (length(reason) <= 60),
  -- When the oldest of the files was made that were asked; null where there were none.
  data_at timestamptz,
  at timestamptz not null,
  check ((verdict = 'pay') = (reason is null))
);
create index filter_audit_of on filter_audit (session_id, id);
create index filter_audit_at on filter_audit (at);
create index filter_audit_project on filter_audit (project_id, id)`;

const kept = `
create trigger filter_audit_kept before truncate or update of id, session_id, project_id, person_id, class, verdict, reason, data_at, at on filter_audit
  for each statement execute function earn_refuse_change()`;

const seen = `
-- A session was heard of from this address, and so it is to be taken. What the session says by then: nothing where the person has none of this id.
-- Where that changes, it is written down, and what was metered is metered again. Two at once: the second waits for the session, and reads what
-- the first one wrote.
create function session_address_seen(book uuid, of_session uuid, of_person uuid, from_address inet, of_class text, is_verdict text, because text,
  known jsonb, made_at timestamptz) returns table (verdict text, reason text)
${definer} as $$
#variable_conflict use_column
declare
  now_is constant timestamptz := ledger_clock();
  s traffic_session%rowtype;
  strictest session_address%rowtype;
begin
  select x.* into s from traffic_session x where x.id = of_session and x.project_id = book and x.person_id = of_person;
  if s.id is null then return; end if;
  -- The usual case costs no lock.
  if is_verdict = 'pay' and s.verdict = 'pay' then return query select 'pay', null::text; return; end if;
  perform from traffic_session x where x.id = of_session for no key update;
  select x.* into s from traffic_session x where x.id = of_session;
  if is_verdict = 'pay' then
    delete from session_address a where a.session_id = of_session and a.address = from_address;
  elsif (select count(*) from session_address a where a.session_id = of_session and a.address <> from_address) < ${ADDRESSES_MAX}
    or (is_verdict = 'unpaid' and s.verdict <> 'unpaid') then
    insert into session_address as a (session_id, address, class, verdict, reason, first_at, seen_at)
      values (of_session, from_address, of_class, is_verdict, because, now_is, now_is)
      on conflict (session_id, address) do update
      set class = excluded.class, verdict = excluded.verdict, reason = excluded.reason, seen_at = excluded.seen_at;
  end if;
  select a.* into strictest from session_address a where a.session_id = of_session order by a.verdict = 'unpaid' desc, a.first_at, a.address limit 1;
  if (coalesce(strictest.verdict, 'pay'), strictest.reason) is distinct from (s.verdict, s.reason) then
    update traffic_session x set verdict = coalesce(strictest.verdict, 'pay'), reason = strictest.reason where x.id = of_session;
    insert into filter_audit (session_id, project_id, person_id, address, evidence, class, verdict, reason, data_at, at)
      values (of_session, book, of_person, from_address, known, of_class, coalesce(strictest.verdict, 'pay'), strictest.reason, made_at, now_is);
    if s.job_id is null and s.reports > 0 then perform traffic_ask(array[of_session]); end if;
  end if;
  return query select coalesce(strictest.verdict, 'pay'), strictest.reason;
end $$`;

const retire = `
-- Up to so many that are older, and never what is younger than it is kept for. What a session says of itself stays.
create function session_address_retire(before timestamptz, rows_max int) returns setof int
${definer} as $$
begin
  return query delete from session_address a where ctid = any (array(
    select x.ctid from session_address x where x.seen_at < least(before, ledger_clock() - interval '${ADDRESSES_KEPT_FOR}') order by x.seen_at limit rows_max))
    returning 1;
end $$;
create function filter_audit_retire(before timestamptz, rows_max int) returns setof int
${definer} as $$
begin
  return query delete from filter_audit a where ctid = any (array(
    select x.ctid from filter_audit x where x.at < least(before, ledger_clock() - interval '${AUDITS_KEPT_FOR}') order by x.at limit rows_max))
    returning 1;
end $$`;

const forget = `
-- With the person: where they were heard of from.
create function filter_audit_forget(book uuid, of_person uuid) returns void
${definer} as $$
begin
  delete from session_address a using traffic_session s where s.id = a.session_id and s.project_id = book and s.person_id = of_person;
  update filter_audit a set address = null, evidence = null where a.project_id = book and a.person_id = of_person and a.address is not null;
end $$`;

const noneForPublic = `
revoke execute on function
  session_address_seen(uuid, uuid, uuid, inet, text, text, text, jsonb, timestamptz), session_address_retire(timestamptz, int),
  filter_audit_retire(timestamptz, int), filter_audit_forget(uuid, uuid)
from public`;
