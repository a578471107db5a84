import { Migration } from '@mikro-orm/migrations';

/**
 * Reports are taken without a look whether each is there: the insert finds that out by itself, and only those that it passed over are compared
 * with what stands.
 *
 * Locks: the sessions first, in the order of their ids.
 */
export class Migration20261130163100EarnReport extends Migration {
  override up(): void {
    this.addSql(report);
  }
}

/** As in domain/earn/traffic/port.ts and meter.ts. */
const SESSION_REPORTS_MAX = 5_000;
const CLOCK_SLACK = '1 minute';
const REPORTS_TAKEN_FOR = '30 days';

const report = `
-- Takes the reports of many requests in one commit. asked: [{place, session_id, person_id}], place from 1 without a gap; said:
-- [{place, seq, measured_at, up, down}]. The first report of a number stands; one that says something else is marked on it.
--
-- The sessions are locked first, so that what each statement below reads of them is what all before it wrote.
create or replace function traffic_report(book uuid, asked json, said json)
returns table (place int, outcome text, accepted int, repeated int, conflicts int, job_id uuid)
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s' as $$
#variable_conflict use_column
declare
  at constant timestamptz := ledger_clock();
  outcomes text[]; of_sessions uuid[]; waiting uuid[];
  -- By place: how many are new, and how many were there before, with how many of those that say something else.
  fresh jsonb; again jsonb;
  passed_over jsonb;
begin
  perform from traffic_session s where s.id = any (array(select (a ->> 'session_id')::uuid from json_array_elements(asked) a)) order by s.id for no key update;
  with first_of as (
    select x.place, min(x.measured_at) as measured_at, count(*) as n from json_to_recordset(said) x(place int, measured_at timestamptz) group by 1),
  assessed as (
    select a.place, s.id, case
      when s.id is null then 'unknown-session'
      when l.measured_at > s.ended_at + interval '${CLOCK_SLACK}' then 'session-over'
      when s.started_at < at - interval '${REPORTS_TAKEN_FOR}' then 'session-over'
      when s.reports + l.n > ${SESSION_REPORTS_MAX} then 'session-full'
      else 'taken' end as outcome
    from json_to_recordset(asked) a(place int, session_id uuid, person_id uuid)
    left join first_of l on l.place = a.place
    left join lateral (select * from traffic_session t where t.id = a.session_id and t.project_id = book and t.person_id = a.person_id limit 1) s on true)
  select array_agg(j.outcome order by j.place), array_agg(case when j.outcome = 'taken' then j.id end order by j.place)
    into outcomes, of_sessions from assessed j;

  with given as materialized (
    select of_sessions[x.place] as session_id, x.place, x.seq, x.measured_at, x.up, x.down,
      row_number() over (partition by of_sessions[x.place], x.seq order by x.place) as nth
    from json_to_recordset(said) x(place int, seq int, measured_at timestamptz, up bigint, down bigint) where of_sessions[x.place] is not null),
  added as (
    insert into session_report (session_id, seq, measured_at, received_at, up, down)
      select g.session_id, g.seq, g.measured_at, at, g.up, g.down from given g where g.nth = 1 order by g.session_id, g.seq
      on conflict (session_id, seq) do nothing returning session_id, seq),
  told as materialized (
    select g.*, g.nth = 1 and a.seq is not null as is_fresh
    from given g left join added a on a.session_id = g.session_id and a.seq = g.seq)
  select (select jsonb_object_agg(f.place, f.n) from (select t.place, count(*) as n from told t where t.is_fresh group by 1) f),
    (select jsonb_agg(jsonb_build_array(t.place, t.seq, t.measured_at, t.up, t.down)) from told t where not t.is_fresh)
    into fresh, passed_over;

  -- What stands is the first that came, before or in this call.
  if passed_over is not null then
    with given as materialized (
      select (p ->> 0)::int as place, (p ->> 1)::int as seq, (p ->> 2)::timestamptz as measured_at, (p ->> 3)::bigint as up, (p ->> 4)::bigint as down
      from jsonb_array_elements(passed_over) p),
    met as materialized (
      select g.place, of_sessions[g.place] as session_id, g.seq, (e.measured_at, e.up, e.down) is distinct from (g.measured_at, g.up, g.down) as differs
      from given g cross join lateral (
        select f.measured_at, f.up, f.down from session_report f where f.session_id = of_sessions[g.place] and f.seq = g.seq limit 1) e),
    marked as (
      update session_report e set conflicted = true from met m
        where m.differs and e.session_id = m.session_id and e.seq = m.seq and not e.conflicted)
    select jsonb_object_agg(n.place, jsonb_build_array(n.repeated, n.differing)) into again from (
      select m.place, count(*) as repeated, count(*) filter (where m.differs) as differing from met m group by 1) n;
  end if;

  with news as (
    select of_sessions[f.place::int] as id, sum(f.n::int) as added from jsonb_each_text(fresh) f(place, n) group by 1)
  update traffic_session s set reports = s.reports + n.added, last_at = at from news n where s.id = n.id;
  select array_agg(s.id order by s.id) into waiting from traffic_session s
    where s.job_id is null and s.id = any (array(
      select of_sessions[f.place::int] from jsonb_object_keys(fresh) f(place)
      union select of_sessions[r.place::int] from jsonb_each(again) r(place, n) where (r.n ->> 1)::int > 0));
  perform traffic_ask(waiting);

  return query
    select i.place::int, i.outcome, coalesce((fresh ->> i.place::text)::int, 0), coalesce((again -> i.place::text ->> 0)::int, 0),
      coalesce((again -> i.place::text ->> 1)::int, 0), s.job_id
    from unnest(outcomes) with ordinality i(outcome, place)
    left join lateral (select t.job_id from traffic_session t where t.id = of_sessions[i.place::int] limit 1) s on true
    order by i.place;
end $$`;
