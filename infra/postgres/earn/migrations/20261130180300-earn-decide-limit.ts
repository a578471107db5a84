import { Migration } from '@mikro-orm/migrations';

/**
 * What one member of staff pays, gives again and takes back by their own decision has an end in 24 hours; then another decides.
 *
 * Locks: the session, its day, what this member of staff decides; then the book.
 */
export class Migration20261130180300EarnDecideLimit extends Migration {
  override up(): void {
    for (const sql of [index, much, decide, takeBack, noneForPublic]) this.addSql(sql);
  }
}

/** 10^-6 UZS: DECIDE_ALONE_TIYIN_MAX in domain/earn/day/appeal.ts. */
const DECIDE_ALONE_MICROS_MAX = 1_000_000_000_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const index = `
create index session_day_action_by on session_day_action (staff_id, at)`;

const much = `
-- Inner: before a decision that moves so much. Two of one person wait for each other, and the second sees the first.
create function earn_refuse_much(by_staff uuid, moves bigint) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('traffic-decide:' || by_staff, 0));
  if moves + (
    select coalesce(sum(a.micros), 0) from session_day_action a
    where a.staff_id = by_staff and a.at > ledger_clock() - interval '24 hours' and a.action <> 'unpaid') > ${DECIDE_ALONE_MICROS_MAX} then
    raise exception 'one person decides of no more in a day' using errcode = 'NB048';
  end if;
end $$`;

const decide = `
-- A person's day in review, or unpaid, is decided. Before its close it is paid with it; after it at once, under earn-late:{session}:{day}; one that
-- was taken back is given again, under earn-again:{session}:{day}. Twice: the second changes nothing.
--
-- The session is locked first, as the meter does it: what is metered meanwhile would be written over the decision.
create or replace function session_day_decide(book uuid, of_session uuid, of_day date, pays boolean, by_staff uuid, why text) returns text
${definer} as $$
declare
  d session_day%rowtype;
  does constant text := case when pays then 'pay' else 'unpaid' end;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  perform from traffic_session s where s.id = of_session and s.project_id = book for no key update;
  perform from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book for no key update;
  select x.* into d from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book;
  if d.session_id is null then return 'unknown-day'; end if;
  if pays and d.taken_micros > d.given_micros then
    perform earn_refuse_much(by_staff, d.taken_micros);
    perform earn_post(d.project_id, array[d.person_id], array[d.taken_micros], array['earn-again:' || d.session_id || ':' || d.day], array[d.session_id],
      d.day, 'staff:' || by_staff);
    update session_day x set given_micros = x.taken_micros where x.session_id = of_session and x.day = of_day;
    insert into session_day_action (session_id, day, action, staff_id, reason, micros, at)
      values (of_session, of_day, 'give-again', by_staff, why, d.taken_micros, ledger_clock());
    return 'decided';
  end if;
  if d.verdict = does and d.decided_at is not null then return 'decided'; end if;
  if d.posted_micros > 0 then return case when pays then 'decided' else 'posted' end; end if;
  if pays then perform earn_refuse_much(by_staff, d.micros); end if;
  update session_day x set verdict = does, reason = case when pays then null else 'decided' end, decided_by = by_staff, decided_at = ledger_clock(),
      unpaid = session_day_unpaid(d.unpaid, case when d.verdict = 'pay' then null else d.reason end, case when pays then null else 'decided' end, d.payable)
    where x.session_id = of_session and x.day = of_day;
  insert into session_day_action (session_id, day, action, staff_id, reason, micros, at)
    values (of_session, of_day, does, by_staff, why, d.micros, ledger_clock());
  if pays and d.closed_at is not null then perform earn_post_late(of_session, of_day, 'staff:' || by_staff); end if;
  return 'decided';
end $$`;

const takeBack = `
-- What a day had earned is taken back: from what the person has, and the rest is owed. Nothing is taken that is held for a withdrawal. Twice: the
-- second finds nothing left to take. Key takeback:{session}:{day}, and takeback-debt:{session}:{day} for what is owed.
create or replace function session_day_take_back(book uuid, of_session uuid, of_day date, by_staff uuid, why text) returns table (taken bigint, owed bigint)
${definer} as $$
#variable_conflict use_column
declare
  d session_day%rowtype;
  accounts bigint[]; earnings bigint; has bigint; of_it text;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  perform from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book for no key update;
  select x.* into d from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book;
  if d.session_id is null or d.posted_micros = 0 or d.taken_micros > 0 then return; end if;
  perform earn_refuse_much(by_staff, d.posted_micros);
  perform from ledger_book b where b.project_id = book for no key update;
  select array_agg(o.account order by o.item) into accounts
    from ledger_open(book, array['available', 'receivable'], array[d.person_id, d.person_id], array[null::text, null::text]) o;
  select o.account into earnings from ledger_open(book, array['earnings'], array[null::uuid], array[null::text]) o;
  select least(a.balance, d.posted_micros) into has from ledger_account a where a.id = accounts[1];
  of_it := d.session_id || ':' || d.day;
  if has > 0 then
    perform ledger_post_all(book, array['takeback:' || of_it], array['take-back'], array[accounts[1]], array[earnings], array[has], array[d.session_id],
      array[ledger_clock()], array['staff:' || by_staff]);
  end if;
  if has < d.posted_micros then
    perform ledger_post_all(book, array['takeback-debt:' || of_it], array['take-back'], array[accounts[2]], array[earnings], array[d.posted_micros - has],
      array[d.session_id], array[ledger_clock()], array['staff:' || by_staff]);
  end if;
  update session_day x set taken_micros = x.posted_micros where x.session_id = of_session and x.day = of_day;
  insert into session_day_action (session_id, day, action, staff_id, reason, micros, at)
    values (of_session, of_day, 'take-back', by_staff, why, d.posted_micros, ledger_clock());
  return query select has, d.posted_micros - has;
end $$`;

const noneForPublic = `revoke execute on function earn_refuse_much(uuid, bigint) from public`;
