import { Migration } from '@mikro-orm/migrations';

/**
 * A decision of a day and the metering of it wait for each other, and a decision pays no more than somebody has looked at.
 *
 * Locks: the session, then its day, then the appeal; then the book.
 */
export class Migration20261130180000EarnDecided extends Migration {
  override up(): void {
    for (const sql of [decide, answer, write]) this.addSql(sql);
  }
}

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

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
end $$`;

const answer = `
-- Overturned: the day is paid, or given again, as session_day_decide does it. Upheld: it is not, and no rule changes that any more. Twice: the
-- second finds it ended, and says how. The session is locked first, then its day.
create or replace function traffic_appeal_decide(book uuid, of_appeal uuid, overturns boolean, by_staff uuid, words text) returns text
${definer} as $$
declare
  a traffic_appeal%rowtype;
  d session_day%rowtype;
begin
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  select x.* into a from traffic_appeal x where x.id = of_appeal and x.project_id = book;
  if a.id is null then return 'unknown-appeal'; end if;
  perform from traffic_session s where s.id = a.session_id for no key update;
  perform from session_day x where x.session_id = a.session_id and x.day = a.day for no key update;
  select x.* into d from session_day x where x.session_id = a.session_id and x.day = a.day;
  select x.* into a from traffic_appeal x where x.id = of_appeal;
  if a.state <> 'open' then return case when (a.state = 'overturned') = overturns then a.state else 'appeal-ended' end; end if;
  perform earn_refuse_own(by_staff, a.person_id);
  -- It has become payable by itself: a gateway reported late.
  if not overturns and d.verdict = 'pay' and d.taken_micros = d.given_micros then return 'day-paid'; end if;
  perform session_day_decide(book, a.session_id, a.day, overturns, by_staff, words);
  -- Where the day was as is decided, nobody has acted on it.
  update traffic_appeal x set state = case when overturns then 'overturned' else 'upheld' end, ended_at = ledger_clock(), ended_by = by_staff, answer = words
    where x.id = of_appeal and x.state = 'open';
  return case when overturns then 'overturned' else 'upheld' end;
end $$`;

const write = `
-- What was metered of sessions that the caller holds: [{session_id, day, bytes, payable, tiyin_per_mb, micros, gateway_bytes, verdict, reason,
-- unpaid}]. A day that is closed, or that is no more among the metered ones and never was, stays as it is. The price is the day's own.
-- A decision stands for as long as its verdict does: domain/earn/traffic/meter.ts says when it no longer holds.
create or replace function session_day_write(book uuid, metered json) returns int
${definer} as $$
#variable_conflict use_column
declare
  written int;
begin
  if exists (
    select from json_to_recordset(metered) m(session_id uuid, day date, tiyin_per_mb int)
    where m.tiyin_per_mb is distinct from price_of(book, m.day)) then
    raise exception 'this is not the price of the day' using errcode = 'NB004';
  end if;
  insert into session_day as d (session_id, day, project_id, person_id, bytes, payable, tiyin_per_mb, micros, gateway_bytes, verdict, reason, unpaid, metered_at)
    select s.id, m.day, s.project_id, s.person_id, m.bytes, m.payable, m.tiyin_per_mb, m.micros, m.gateway_bytes, m.verdict, m.reason, m.unpaid, ledger_clock()
    from json_to_recordset(metered) m(session_id uuid, day date, bytes bigint, payable bigint, tiyin_per_mb int, micros bigint, gateway_bytes bigint,
      verdict text, reason text, unpaid jsonb)
    cross join lateral (select * from traffic_session t where t.id = m.session_id and t.project_id = book limit 1) s
    order by s.id, m.day
    on conflict (session_id, day) do update
    set bytes = excluded.bytes, payable = excluded.payable, tiyin_per_mb = excluded.tiyin_per_mb, micros = excluded.micros,
      gateway_bytes = excluded.gateway_bytes, verdict = excluded.verdict, reason = excluded.reason, unpaid = excluded.unpaid, metered_at = excluded.metered_at,
      decided_at = case when excluded.verdict = d.verdict then d.decided_at end, decided_by = case when excluded.verdict = d.verdict then d.decided_by end
    where d.closed_at is null;
  get diagnostics written = row_count;
  return written;
end $$`;
