import { Migration } from '@mikro-orm/migrations';

/**
 * A session that can't be metered keeps no other day of its person waiting than its own, and a gateway can't make one: what it carries of a
 * session has a limit, so that the sum of a day fits.
 */
export class Migration20261130181000EarnUnmeterable extends Migration {
  override up(): void {
    for (const sql of [column, carried, close]) this.addSql(sql);
  }
}

/** As in domain/earn/traffic/port.ts, and in the tables of traffic. */
const CARRIED_MAX = 10_000;
const REPORTS_TAKEN_FOR = '30 days';
const SESSION_LIFE = '24 hours';
/** What one post of the ledger takes. */
const PEOPLE_MAX = 1_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const column = `
-- Reports of gateways, of all of them together.
alter table traffic_session add column carried int not null default 0;
update traffic_session s set carried = c.n
  from (select session_id, count(*) as n from gateway_report group by 1) c where s.id = c.session_id`;

const carried = `
-- What a gateway carried: [{session_id, seq, measured_at, up, down}]. A number of a session stands once: the first that came. A session that has
-- as many of them as one may have is unknown.
create or replace function gateway_report_take(book uuid, of_gateway uuid, said json) returns table (accepted int, repeated int, conflicts int, unknown int)
${definer} as $$
#variable_conflict use_column
declare
  at constant timestamptz := ledger_clock();
  touched uuid[];
  -- By session: how many are new.
  fresh jsonb;
  known uuid[];
  n_all int; n_known int; n_fresh int; n_differ int;
begin
  insert into gateway as g (id, project_id, first_at, last_at) values (of_gateway, book, at, at)
    on conflict (id) do update set last_at = excluded.last_at;
  perform from traffic_session s where s.project_id = book
    and s.id = any (array(select (r ->> 'session_id')::uuid from json_array_elements(said) r)) order by s.id for no key update;
  select array_agg(s.id) into known from traffic_session s where s.project_id = book
    and s.id = any (array(select (r ->> 'session_id')::uuid from json_array_elements(said) r)) and s.started_at > at - interval '${REPORTS_TAKEN_FOR}'
    and s.carried < ${CARRIED_MAX};
  with given as materialized (
    select x.*, row_number() over (partition by x.session_id, x.seq order by x.nth) as place from (
      select (e.r ->> 'session_id')::uuid as session_id, (e.r ->> 'seq')::int as seq, (e.r ->> 'measured_at')::timestamptz as measured_at,
        (e.r ->> 'up')::bigint as up, (e.r ->> 'down')::bigint as down, e.nth
      from json_array_elements(said) with ordinality e(r, nth)) x where x.session_id = any (known)),
  met as materialized (
    select g.*, e.measured_at is null as is_fresh,
      (e.measured_at, e.up, e.down) is distinct from (g.measured_at, g.up, g.down) as differs
    from given g left join lateral (
      select f.measured_at, f.up, f.down from gateway_report f
      where f.session_id = g.session_id and f.gateway_id = of_gateway and f.seq = g.seq limit 1) e on true),
  added as (
    insert into gateway_report (session_id, gateway_id, seq, measured_at, received_at, up, down)
      select m.session_id, of_gateway, m.seq, m.measured_at, at, m.up, m.down from met m where m.is_fresh and m.place = 1 order by 1, 3
      returning session_id),
  marked as (
    update gateway_report e set conflicted = true from met m
      where not m.is_fresh and m.differs and e.session_id = m.session_id and e.gateway_id = of_gateway and e.seq = m.seq and not e.conflicted)
  select (select count(*) from json_array_elements(said)), (select count(*) from given), (select count(*) from added),
    (select count(*) from met m where (not m.is_fresh and m.differs) or (m.is_fresh and m.place > 1 and exists (
      select from given g where g.session_id = m.session_id and g.seq = m.seq and g.place = 1
        and (g.measured_at, g.up, g.down) is distinct from (m.measured_at, m.up, m.down)))),
    (select array_agg(distinct a.session_id) from added a),
    (select jsonb_object_agg(a.session_id, a.n) from (select session_id, count(*) as n from added group by 1) a)
    into n_all, n_known, n_fresh, n_differ, touched, fresh;
  update traffic_session s set carried = s.carried + (fresh ->> s.id::text)::int where s.id = any (touched);
  perform traffic_ask(array(select s.id from traffic_session s where s.id = any (touched) and s.job_id is null order by s.id));
  return query select n_fresh, n_known - n_fresh, n_differ, n_all - n_known;
end $$`;

const close = `
-- Closes a day for the next people after that one, in the order of their ids: one transfer each, key earn:{person}:{day}. Who has reports that
-- wait to be metered is left for a later round. Two at once: the second waits for the first one's days, and finds them closed. Killed between
-- two calls, the next goes on where nothing is closed.
--
-- A day that had been closed for the person before, while a session of it was still to be metered, is posted by session: earn-late:{session}:{day}.
create or replace function day_close(book uuid, of_day date, after uuid, people_max int) returns table (person uuid, micros bigint)
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
          and s.started_at < (of_day + 1)::timestamp at time zone 'Asia/Tashkent' + interval '1 minute'
          and s.started_at > of_day::timestamp at time zone 'Asia/Tashkent' - interval '${SESSION_LIFE}' - interval '1 minute')
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
