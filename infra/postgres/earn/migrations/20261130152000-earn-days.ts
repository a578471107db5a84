import { Migration } from '@mikro-orm/migrations';

/**
 * Days of traffic are closed into the ledger: one transfer a person and day. What is decided later, taken back or given again has a key of its own.
 *
 * Locks: sessions' days in the order of session and day; then the book; then accounts are read. Nobody posts in between.
 */
export class Migration20261130152000EarnDays extends Migration {
  override up(): void {
    for (const sql of [actions, ...kept, closes, post, late, close, decide, takeBack, noneForPublic])
      this.addSql(sql);
  }
}

/** What one post of the ledger takes. */
const PEOPLE_MAX = 1_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const actions = `
-- Who decided what of a session's day, and why.
create table session_day_action (
  id uuid primary key default uuidv7(),
  session_id uuid not null,
  day date not null,
  action text not null check (action in ('pay', 'unpaid', 'take-back', 'give-again')),
  staff_id uuid not null references staff,
  reason text not null check (length(reason) between 1 and 500 and not holds_card_number(reason)),
  micros bigint not null,
  at timestamptz not null
);
create index session_day_action_of on session_day_action (session_id, day)`;

const kept = [
  `
create trigger session_day_action_kept before update or delete or truncate on session_day_action
  for each statement execute function earn_refuse_change()`,
];

const closes = `
-- 00:00 in Tashkent, three days after the day began: CLOSES_AFTER_DAYS in domain/earn/day/day.ts.
create function earn_closes_at(of_day date) returns timestamptz language sql immutable set search_path = pg_catalog, public, pg_temp as $$
  select (of_day + 3)::timestamp at time zone 'Asia/Tashkent' $$`;

const post = `
-- Inner: what people earned, each under keys of its own: first what they owe, then what they have. The caller holds the days. The book is
-- locked before a balance is read.
create function earn_post(book uuid, people uuid[], micros bigint[], keys text[], subjects uuid[], of_day date, actor text) returns void
${inner} as $$
declare
  at constant timestamptz := earn_closes_at(of_day) - interval '2 days';
  earnings bigint;
  p_people uuid[]; p_accounts bigint[]; p_amounts bigint[]; p_keys text[]; p_subjects uuid[];
begin
  if coalesce(cardinality(people), 0) = 0 then return; end if;
  perform from ledger_book b where b.project_id = book for no key update;
  select o.account into earnings from ledger_open(book, array['earnings'], array[null::uuid], array[null::text]) o;

  select array_agg(a.id order by w.i), array_agg(least(w.micros, -a.balance) order by w.i), array_agg('earn-debt' || substr(w.key, strpos(w.key, ':')) order by w.i),
      array_agg(w.subject order by w.i)
    into p_accounts, p_amounts, p_keys, p_subjects
    from unnest(people, micros, keys, subjects) with ordinality w(person, micros, key, subject, i)
    cross join lateral (
      select x.id, x.balance from ledger_account x where x.project_id = book and x.class = 'receivable' and x.owner = w.person and x.rail is null limit 1) a
    where a.balance < 0;
  perform earn_post_to(book, p_accounts, p_amounts, p_keys, p_subjects, earnings, at, actor);

  select array_agg(w.person order by w.i), array_agg(w.micros - coalesce(d.amount, 0) order by w.i), array_agg(w.key order by w.i), array_agg(w.subject order by w.i)
    into p_people, p_amounts, p_keys, p_subjects
    from unnest(people, micros, keys, subjects) with ordinality w(person, micros, key, subject, i)
    left join unnest(p_keys, p_amounts) d(key, amount) on d.key = 'earn-debt' || substr(w.key, strpos(w.key, ':'))
    where w.micros > coalesce(d.amount, 0);
  if p_people is null then return; end if;
  select array_agg(o.account order by o.item) into p_accounts
    from ledger_open(book, array_fill('available'::text, array[cardinality(p_people)]), p_people, array_fill(null::text, array[cardinality(p_people)])) o;
  perform earn_post_to(book, p_accounts, p_amounts, p_keys, p_subjects, earnings, at, actor);
end $$;
create function earn_post_to(book uuid, accounts bigint[], amounts bigint[], keys text[], subjects uuid[], earnings bigint, at timestamptz, actor text) returns void
${inner} as $$
declare
  n constant int := coalesce(cardinality(accounts), 0);
begin
  if n = 0 then return; end if;
  perform ledger_post_all(book, keys, array_fill('earn'::text, array[n]), array_fill(earnings, array[n]), accounts, amounts, subjects,
    array_fill(at, array[n]), array_fill(actor, array[n]));
end $$`;

const late = `
-- Inner: one day of one session, which the caller holds, under a key of its own.
create function earn_post_late(of_session uuid, of_day date, actor text) returns void
${inner} as $$
declare
  d session_day%rowtype;
begin
  select x.* into d from session_day x where x.session_id = of_session and x.day = of_day;
  if d.micros > 0 then
    perform earn_post(d.project_id, array[d.person_id], array[d.micros], array['earn-late:' || d.session_id || ':' || d.day], array[d.session_id], d.day, actor);
  end if;
  update session_day x set posted_micros = x.micros where x.session_id = of_session and x.day = of_day;
end $$`;

const close = `
-- Closes a day for the next people after that one, in the order of their ids: one transfer each, key earn:{person}:{day}. Who has reports that
-- wait to be metered is left for a later round. Two at once: the second waits for the first one's days, and finds them closed. Killed between
-- two calls, the next goes on where nothing is closed.
--
-- A day that had been closed for the person before, while a session of it was still to be metered, is posted by session: earn-late:{session}:{day}.
create function day_close(book uuid, of_day date, after uuid, people_max int) returns table (person uuid, micros bigint)
${definer} as $$
#variable_conflict use_column
declare
  people uuid[]; held_sessions uuid[]; earners uuid[]; sums bigint[]; r record;
begin
  perform ledger_refuse_old_snapshot();
  if people_max not between 1 and ${PEOPLE_MAX} then raise exception 'not so many people' using errcode = 'NB004'; end if;
  if ledger_clock() < earn_closes_at(of_day) then raise exception 'the day is still open' using errcode = 'NB041'; end if;
  select array_agg(x.person_id order by x.person_id) into people from (
    select distinct d.person_id from session_day d
    where d.project_id = book and d.day = of_day and d.closed_at is null and (after is null or d.person_id > after)
      and not exists (
        select from traffic_session s where s.project_id = book and s.person_id = d.person_id and s.job_id is not null
          and s.started_at < (of_day + 1)::timestamp at time zone 'Asia/Tashkent' + interval '1 minute')
    order by 1 limit people_max) x;
  if people is null then return; end if;
  perform from session_day d where d.project_id = book and d.day = of_day and d.closed_at is null and d.person_id = any (people)
    order by d.session_id for no key update;
  -- Those that are still open now that they are held.
  select array_agg(d.session_id) into held_sessions from session_day d
    where d.project_id = book and d.day = of_day and d.closed_at is null and d.person_id = any (people);
  select array_agg(x.person_id order by x.person_id), array_agg(x.sum order by x.person_id) into earners, sums from (
    select d.person_id, sum(d.micros)::bigint as sum from session_day d
    where d.day = of_day and d.session_id = any (held_sessions) and d.verdict = 'pay' and not exists (
      select from session_day e where e.project_id = book and e.person_id = d.person_id and e.day = of_day and e.closed_at is not null)
    group by 1 having sum(d.micros) > 0) x;
  perform earn_post(book, earners, sums, array(select 'earn:' || p || ':' || of_day from unnest(earners) with ordinality e(p, i) order by e.i), earners,
    of_day, 'close-days');
  for r in
    select d.session_id from session_day d where d.day = of_day and d.session_id = any (held_sessions) and d.verdict = 'pay'
      and not (d.person_id = any (coalesce(earners, '{}'))) and d.micros > 0 order by 1
  loop
    update session_day d set closed_at = ledger_clock() where d.session_id = r.session_id and d.day = of_day;
    perform earn_post_late(r.session_id, of_day, 'close-days');
  end loop;
  update session_day d set closed_at = ledger_clock(), posted_micros = case when d.verdict = 'pay' then d.micros else 0 end
    where d.day = of_day and d.session_id = any (held_sessions) and d.closed_at is null;
  return query select p, coalesce(s.sum, 0) from unnest(people) p left join unnest(earners, sums) s(earner, sum) on s.earner = p order by 1;
end $$`;

const decide = `
-- A person's day in review, or unpaid, is decided. Before its close it is paid with it; after it at once, under earn-late:{session}:{day}; one that
-- was taken back is given again, under earn-again:{session}:{day}. Twice: the second changes nothing.
create function session_day_decide(book uuid, of_session uuid, of_day date, pays boolean, by_staff uuid, why text) returns text
${definer} as $$
declare
  d session_day%rowtype;
  does constant text := case when pays then 'pay' else 'unpaid' end;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  perform from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book for no key update;
  select x.* into d from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book;
  if d.session_id is null then return 'unknown-day'; end if;
  if pays and d.taken_micros > d.given_micros then
    perform earn_post(d.project_id, array[d.person_id], array[d.taken_micros], array['earn-again:' || d.session_id || ':' || d.day], array[d.session_id],
      d.day, 'staff:' || by_staff);
    update session_day x set given_micros = x.taken_micros where x.session_id = of_session and x.day = of_day;
    insert into session_day_action (session_id, day, action, staff_id, reason, micros, at)
      values (of_session, of_day, 'give-again', by_staff, why, d.taken_micros, ledger_clock());
    return 'decided';
  end if;
  if d.verdict = does and d.decided_at is not null then return 'decided'; end if;
  if d.posted_micros > 0 then return case when pays then 'decided' else 'posted' end; end if;
  update session_day x set verdict = does, reason = case when pays then null else 'decided' end, decided_by = by_staff, decided_at = ledger_clock(),
      unpaid = session_day_unpaid(d.unpaid, case when d.verdict = 'pay' then null else d.reason end, case when pays then null else 'decided' end, d.payable)
    where x.session_id = of_session and x.day = of_day;
  insert into session_day_action (session_id, day, action, staff_id, reason, micros, at)
    values (of_session, of_day, does, by_staff, why, d.micros, ledger_clock());
  if pays and d.closed_at is not null then perform earn_post_late(of_session, of_day, 'staff:' || by_staff); end if;
  return 'decided';
end $$;
-- Inner: without what the old verdict left unpaid, and with what the new one does.
create function session_day_unpaid(unpaid jsonb, old_reason text, new_reason text, payable bigint) returns jsonb
language sql immutable set search_path = pg_catalog, public, pg_temp as $$
  select coalesce(jsonb_agg(u order by u ->> 'reason'), '[]') from (
    select u from jsonb_array_elements(unpaid) u where old_reason is null or u ->> 'reason' <> old_reason
    union all
    select jsonb_build_object('reason', new_reason, 'bytes', payable::text) where new_reason is not null and payable > 0) x $$`;

const takeBack = `
-- What a day had earned is taken back: from what the person has, and the rest is owed. Nothing is taken that is held for a withdrawal. Twice: the
-- second finds nothing left to take. Key takeback:{session}:{day}, and takeback-debt:{session}:{day} for what is owed.
create function session_day_take_back(book uuid, of_session uuid, of_day date, by_staff uuid, why text) returns table (taken bigint, owed bigint)
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

const noneForPublic = `
revoke execute on function
  earn_closes_at(date), earn_post(uuid, uuid[], bigint[], text[], uuid[], date, text),
  earn_post_to(uuid, bigint[], bigint[], text[], uuid[], bigint, timestamptz, text), earn_post_late(uuid, date, text),
  day_close(uuid, date, uuid, int), session_day_decide(uuid, uuid, date, boolean, uuid, text), session_day_unpaid(jsonb, text, text, bigint),
  session_day_take_back(uuid, uuid, date, uuid, text)
from public`;
