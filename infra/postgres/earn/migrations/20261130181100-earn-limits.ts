import { Migration } from '@mikro-orm/migrations';

/**
 * What one person can ask of the meter and of staff has a limit.
 *
 * Locks: the person's appeals first, then the session's day.
 */
export class Migration20261130181100EarnLimits extends Migration {
  override up(): void {
    for (const sql of [start, index, make]) this.addSql(sql);
  }
}

/** As in domain/earn/traffic/port.ts and domain/earn/day/appeal.ts. */
const INSTALLATIONS_MAX = 3;
const SESSION_LIFE = '24 hours';
const SESSIONS_MAX = 100;
const APPEAL_WITHIN = '30 days';
const OPEN_MAX = 20;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const start = `
-- One session of an installation is open at a time, and a person starts so many in 24 hours. Two starts of one person wait for each other.
create or replace function traffic_start(book uuid, new_id uuid, of_person uuid, installation uuid) returns table (outcome text, session uuid)
${definer} as $$
#variable_conflict use_column
declare
  at constant timestamptz := ledger_clock();
  open_one uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended('traffic:' || of_person, 0));
  perform traffic_end(s.id, s.started_at + interval '${SESSION_LIFE}', 'expired') from traffic_session s
    where s.project_id = book and s.person_id = of_person and s.ended_at is null and s.started_at <= at - interval '${SESSION_LIFE}';
  select s.id into open_one from traffic_session s
    where s.project_id = book and s.person_id = of_person and s.installation_id = installation and s.ended_at is null limit 1;
  if open_one is not null then return query select 'session-open', open_one; return; end if;
  if price_of(book, (at at time zone 'Asia/Tashkent')::date) is null then return query select 'no-price', null::uuid; return; end if;
  if (select count(distinct s.installation_id) from traffic_session s
      where s.project_id = book and s.person_id = of_person and s.installation_id <> installation and s.started_at > at - interval '30 days') >= ${INSTALLATIONS_MAX} then
    return query select 'too-many-installations', null::uuid; return;
  end if;
  if (select count(*) from traffic_session s where s.project_id = book and s.person_id = of_person and s.started_at > at - interval '24 hours') >= ${SESSIONS_MAX} then
    return query select 'too-many-sessions', null::uuid; return;
  end if;
  insert into traffic_session (id, project_id, person_id, installation_id, started_at) values (new_id, book, of_person, installation, at);
  return query select 'started', new_id;
end $$`;

const index = `
create index traffic_appeal_of on traffic_appeal (project_id, person_id) where state = 'open'`;

const make = `
-- Once a day of a session, for so long as what it was metered of is there, and so many of a person wait at a time. Two of a person at once: the
-- second waits for the first, and finds it.
create or replace function traffic_appeal_make(book uuid, of_person uuid, of_session uuid, of_day date, words text) returns text
${definer} as $$
declare
  d session_day%rowtype;
begin
  perform pg_advisory_xact_lock(hashtextextended('appeals:' || of_person, 0));
  perform from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book and x.person_id = of_person for no key update;
  select x.* into d from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book and x.person_id = of_person;
  if d.session_id is null then return 'unknown-day'; end if;
  if exists (select from traffic_appeal a where a.session_id = of_session and a.day = of_day) then return 'appealed'; end if;
  if d.verdict = 'pay' and d.taken_micros = d.given_micros then return 'day-paid'; end if;
  if ledger_clock() >= (of_day + 1)::timestamp at time zone 'Asia/Tashkent' + interval '${APPEAL_WITHIN}' then return 'appeal-late'; end if;
  if (select count(*) from traffic_appeal a where a.project_id = book and a.person_id = of_person and a.state = 'open') >= ${OPEN_MAX} then
    return 'appeal-open-limit';
  end if;
  insert into traffic_appeal (session_id, day, project_id, person_id, text, asked_at) values (of_session, of_day, book, of_person, words, ledger_clock());
  return 'appealed-now';
end $$`;
