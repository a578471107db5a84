import { Migration } from '@mikro-orm/migrations';

/**
 * Sessions of people who share their traffic, what phones and gateways report of them, and what was metered of it.
 *
 * Locks: the session first, sessions in the order of their ids; then its days, then the book.
 */
export class Migration20261130151000EarnTraffic extends Migration {
  override up(): void {
    for (const sql of [
      sessions,
      ...weekly,
      partitions,
      days,
      ...kept,
      start,
      job,
      report,
      carried,
      stop,
      expire,
      rejob,
      write,
      noneForPublic,
      'select traffic_partitions(ledger_clock())',
    ])
      this.addSql(sql);
  }
}

/** As in domain/earn/traffic/port.ts and meter.ts. */
const SESSION_REPORTS_MAX = 5_000;
const INSTALLATIONS_MAX = 3;
const SESSION_LIFE = '24 hours';
const CLOCK_SLACK = '1 minute';
/** What comes later is kept of nothing that is paid. */
const REPORTS_TAKEN_FOR = '30 days';
/** For who asks why they were not paid. */
const REPORTS_KEPT_FOR = '40 days';
const WEEKS_AHEAD = 3;
/** Nobody waits for it by then: housekeeping makes a new one. */
const JOB_LIFE = '7 days';
/** A job is picked within seconds: after so long it may be lost. */
const JOB_LOST_AFTER = '1 minute';
/** Of one round. */
const ROWS_MAX = 1_000;
const TIYIN_PER_MB_MAX = 1_000_000;
/** 50 MB/s for a day, and its price within a bigint. */
const BYTES_MAX = '4400000000000';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const sessions = `
create table traffic_session (
  id uuid primary key,
  project_id uuid not null references ledger_book,
  person_id uuid not null,
  installation_id uuid not null,
  started_at timestamptz not null,
  -- Null while it goes on.
  ended_at timestamptz,
  ended_because text check (ended_because in ('stopped', 'expired')),
  -- Of the newest report.
  last_at timestamptz,
  reports int not null default 0,
  -- Reports wait to be metered by this job. Null: all are metered.
  job_id uuid,
  asked_at timestamptz,
  metered_at timestamptz,
  -- What is known of the addresses that it came from.
  verdict text not null default 'pay' check (verdict in ('pay', 'review', 'unpaid')),
  reason text check (length(reason) <= 60),
  check ((ended_at is null) = (ended_because is null)),
  check ((verdict = 'pay') = (reason is null))
) with (fillfactor = 70);
create index traffic_session_of on traffic_session (project_id, person_id, id);
create index traffic_session_open on traffic_session (started_at) where ended_at is null;
create index traffic_session_waiting on traffic_session (asked_at) where job_id is not null`;

/** By the week in which the session began: whole weeks are dropped. Each has a rest, for ids of a clock that was moved. */
const weekly = [
  `
-- What phones say. Totals since the session began. A number stands once: the first that came.
create table session_report (
  session_id uuid not null,
  seq int not null check (seq >= 0),
  measured_at timestamptz not null,
  received_at timestamptz not null,
  up bigint not null check (up between 0 and ${BYTES_MAX}),
  down bigint not null check (down between 0 and ${BYTES_MAX}),
  -- Another one of this number said something else.
  conflicted boolean not null default false,
  primary key (session_id, seq)
) partition by range (session_id)`,
  `create table session_report_rest partition of session_report default`,
  `
-- A gateway is known by its key (scope gateways), of which the table of keys holds a hash.
create table gateway (
  id uuid primary key,
  project_id uuid not null references project,
  first_at timestamptz not null,
  last_at timestamptz not null
)`,
  `
-- What gateways carried of a session, since their report before.
create table gateway_report (
  session_id uuid not null,
  gateway_id uuid not null,
  seq int not null check (seq >= 0),
  measured_at timestamptz not null,
  received_at timestamptz not null,
  up bigint not null check (up between 0 and ${BYTES_MAX}),
  down bigint not null check (down between 0 and ${BYTES_MAX}),
  conflicted boolean not null default false,
  primary key (session_id, gateway_id, seq)
) partition by range (session_id)`,
  `create table gateway_report_rest partition of gateway_report default`,
];

const partitions = `
-- Makes the partitions of this week and of ${WEEKS_AHEAD} more, and drops those whose sessions all ended ${REPORTS_KEPT_FOR} ago. What the rest
-- holds of a new one moves into it. An id begins with the milliseconds of its time (RFC 9562).
create function traffic_partitions(at timestamptz) returns int
${definer} as $$
declare
  of_table text; week int; named text; bounds text; changed int := 0; old record;
  this_week constant int := floor(extract(epoch from at) / 604800)::int;
begin
  perform pg_advisory_xact_lock(hashtextextended('traffic-partitions', 0));
  foreach of_table in array array['session_report', 'gateway_report'] loop
    for week in this_week .. this_week + ${WEEKS_AHEAD} loop
      named := of_table || '_w' || week;
      continue when to_regclass('public.' || named) is not null;
      bounds := format('from (%L) to (%L)', traffic_id_from(week), traffic_id_from(week + 1));
      execute format('create table public.%I (like %I including defaults including constraints)', named, of_table);
      execute format('with moved as (delete from %I where session_id >= %L and session_id < %L returning *) insert into %I select * from moved',
        of_table || '_rest', traffic_id_from(week), traffic_id_from(week + 1), named);
      execute format('alter table %I attach partition %I for values %s', of_table, named, bounds);
      changed := changed + 1;
    end loop;
    for old in
      select c.relname::text as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = ('public.' || of_table)::regclass and c.relname ~ '_w[0-9]+$'
        and to_timestamp((substring(c.relname from '_w([0-9]+)$')::bigint + 1) * 604800) < at - interval '${SESSION_LIFE}' - interval '${REPORTS_KEPT_FOR}'
    loop
      execute format('drop table %I', old.name);
      changed := changed + 1;
    end loop;
  end loop;
  return changed;
end $$;
create function traffic_id_from(week int) returns uuid language sql immutable set search_path = pg_catalog, public, pg_temp as $$
  select (left(h, 8) || '-' || right(h, 4) || '-0000-0000-000000000000')::uuid from (select lpad(to_hex(week::bigint * 604800000), 12, '0') as h) x $$`;

const days = `
-- By reason: [{"reason": …, "bytes": …}]. Whole numbers, as texts: JSON's own end at 2^53 in some readers.
create function unpaid_bytes(unpaid jsonb) returns numeric language sql immutable strict parallel safe set search_path = pg_catalog, public, pg_temp as $$
  select coalesce(sum((u ->> 'bytes')::numeric), 0) from jsonb_array_elements(unpaid) u $$;

-- A session on a day of Tashkent, as it was metered. Once the day is closed it stays.
create table session_day (
  session_id uuid not null references traffic_session,
  day date not null,
  project_id uuid not null,
  person_id uuid not null,
  -- What the phone claims.
  bytes bigint not null check (bytes between 0 and ${BYTES_MAX}),
  -- Of it, what is paid where the verdict is 'pay'.
  payable bigint not null check (payable between 0 and bytes),
  tiyin_per_mb int not null check (tiyin_per_mb between 1 and ${TIYIN_PER_MB_MAX}),
  -- 10^-6 UZS: one tiyin is 10 000 of them, and a MB 10^6 bytes. Rounded down once.
  micros bigint not null check (micros = payable * tiyin_per_mb / 100),
  gateway_bytes bigint check (gateway_bytes >= 0),
  verdict text not null check (verdict in ('pay', 'review', 'unpaid')),
  reason text check (length(reason) <= 60),
  unpaid jsonb not null,
  metered_at timestamptz not null,
  -- A person has decided: no rule does any more.
  decided_by uuid references staff,
  decided_at timestamptz,
  closed_at timestamptz,
  -- Of micros, what was posted to the ledger, taken back, and given again.
  posted_micros bigint not null default 0 check (posted_micros in (0, micros)),
  taken_micros bigint not null default 0 check (taken_micros in (0, posted_micros)),
  given_micros bigint not null default 0 check (given_micros in (0, taken_micros)),
  primary key (session_id, day),
  check ((verdict = 'pay') = (reason is null)),
  check (unpaid_bytes(unpaid) = bytes - case when verdict = 'pay' then payable else 0 end),
  check (closed_at is not null or posted_micros = 0)
) with (fillfactor = 70);
create index session_day_open on session_day (project_id, day, person_id) where closed_at is null;
create index session_day_of on session_day (project_id, person_id, day)`;

const kept = [
  `
create trigger session_day_kept before delete or truncate or update of session_id, day, project_id, person_id on session_day
  for each statement execute function earn_refuse_change()`,
  `
create trigger session_day_closed before update of bytes, payable, tiyin_per_mb, micros, gateway_bytes, closed_at on session_day
  for each row when (old.closed_at is not null) execute function earn_refuse_change()`,
  `
create trigger traffic_session_kept before delete or truncate or update of id, project_id, person_id, installation_id, started_at on traffic_session
  for each statement execute function earn_refuse_change()`,
];

const start = `
-- One session of an installation is open at a time. Two starts of one person wait for each other.
create function traffic_start(book uuid, new_id uuid, of_person uuid, installation uuid) returns table (outcome text, session uuid)
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
  insert into traffic_session (id, project_id, person_id, installation_id, started_at) values (new_id, book, of_person, installation, at);
  return query select 'started', new_id;
end $$`;

const job = `
-- Inner: ends a session, once.
create function traffic_end(of_session uuid, at timestamptz, because text) returns void
${inner} as $$
begin
  update traffic_session s set ended_at = at, ended_because = because where s.id = of_session and s.ended_at is null;
end $$;
-- Inner: jobs for these sessions, which the caller holds and of which none waits for one. All are of one project.
create function traffic_ask(sessions uuid[]) returns void
${inner} as $$
declare
  at constant timestamptz := ledger_clock();
begin
  if coalesce(cardinality(sessions), 0) = 0 then return; end if;
  with asked as (
    update traffic_session s set job_id = uuidv7(), asked_at = at where s.id = any (sessions) returning s.id, s.job_id, s.project_id)
  insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
    select a.job_id, 'traffic-report', a.project_id, a.id, jsonb_build_object('session_id', a.id),
      jsonb_build_object('project', p.slug, 'session', left(a.id::text, 8)), at, at + interval '${JOB_LIFE}', at
    from asked a join project p on p.id = a.project_id order by a.job_id;
  insert into turn_request (kind, project_id) select 'traffic-report', s.project_id from traffic_session s where s.id = sessions[1];
end $$`;

const report = `
-- Takes the reports of many requests in one commit. asked: [{place, session_id, person_id}], place from 1 without a gap; said:
-- [{place, seq, measured_at, up, down}]. The first report of a number stands; one that says something else is marked on it.
--
-- The sessions are locked first, so that what each statement below reads of them is what all before it wrote.
create function traffic_report(book uuid, asked json, said json)
returns table (place int, outcome text, accepted int, repeated int, conflicts int, job_id uuid)
${definer} as $$
#variable_conflict use_column
declare
  at constant timestamptz := ledger_clock();
  outcomes text[]; of_sessions uuid[]; waiting uuid[]; r record;
  counts jsonb;
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
  known as materialized (
    select g.session_id, g.seq, g.place, g.nth, (e.measured_at, e.up, e.down) is distinct from (g.measured_at, g.up, g.down) as differs
    from given g cross join lateral (
      (select f.measured_at, f.up, f.down from session_report f where f.session_id = g.session_id and f.seq = g.seq limit 1)) e),
  fresh as materialized (
    select g.* from given g where g.nth = 1 and not exists (select from session_report f where f.session_id = g.session_id and f.seq = g.seq)),
  twice as materialized (
    select g.session_id, g.seq, g.place, (f.measured_at, f.up, f.down) is distinct from (g.measured_at, g.up, g.down) as differs
    from given g join fresh f on f.session_id = g.session_id and f.seq = g.seq where g.nth > 1),
  added as (
    insert into session_report (session_id, seq, measured_at, received_at, up, down, conflicted)
      select f.session_id, f.seq, f.measured_at, at, f.up, f.down,
        exists (select from twice t where t.session_id = f.session_id and t.seq = f.seq and t.differs)
      from fresh f order by f.session_id, f.seq),
  marked as (
    update session_report e set conflicted = true from known k
      where k.differs and e.session_id = k.session_id and e.seq = k.seq and not e.conflicted),
  told as (
    select x.place, count(*) filter (where x.what = 'fresh') as fresh, count(*) filter (where x.what <> 'fresh') as repeated,
      count(*) filter (where x.what = 'differs') as differs
    from (
      select f.place, 'fresh' as what from fresh f
      union all select k.place, case when k.differs then 'differs' else 'same' end from known k
      union all select t.place, case when t.differs then 'differs' else 'same' end from twice t) x
    group by 1)
  select jsonb_object_agg(t.place, jsonb_build_array(t.fresh, t.repeated, t.differs)) into counts from told t;

  with news as (
    select of_sessions[c.place::int] as id, sum((c.n ->> 0)::int) as added, sum((c.n ->> 2)::int) as differing
    from jsonb_each(counts) c(place, n) group by 1)
  update traffic_session s set reports = s.reports + n.added, last_at = at from news n where s.id = n.id and n.added > 0;
  select array_agg(s.id order by s.id) into waiting from traffic_session s
    where s.job_id is null and s.id = any (array(
      select of_sessions[c.place::int] from jsonb_each(counts) c(place, n) where (c.n ->> 0)::int + (c.n ->> 2)::int > 0));
  perform traffic_ask(waiting);

  return query
    select i.place::int, i.outcome, coalesce((counts -> i.place::text ->> 0)::int, 0), coalesce((counts -> i.place::text ->> 1)::int, 0),
      coalesce((counts -> i.place::text ->> 2)::int, 0), s.job_id
    from unnest(outcomes) with ordinality i(outcome, place)
    left join lateral (select t.job_id from traffic_session t where t.id = of_sessions[i.place::int] limit 1) s on true
    order by i.place;
end $$`;

const carried = `
-- What a gateway carried: [{session_id, seq, measured_at, up, down}]. A number of a session stands once: the first that came.
create function gateway_report_take(book uuid, of_gateway uuid, said json) returns table (accepted int, repeated int, conflicts int, unknown int)
${definer} as $$
#variable_conflict use_column
declare
  at constant timestamptz := ledger_clock();
  touched uuid[];
  known uuid[];
  n_all int; n_known int; n_fresh int; n_differ int;
begin
  insert into gateway as g (id, project_id, first_at, last_at) values (of_gateway, book, at, at)
    on conflict (id) do update set last_at = excluded.last_at;
  perform from traffic_session s where s.project_id = book
    and s.id = any (array(select (r ->> 'session_id')::uuid from json_array_elements(said) r)) order by s.id for no key update;
  select array_agg(s.id) into known from traffic_session s where s.project_id = book
    and s.id = any (array(select (r ->> 'session_id')::uuid from json_array_elements(said) r)) and s.started_at > at - interval '${REPORTS_TAKEN_FOR}';
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
    (select array_agg(distinct a.session_id) from added a)
    into n_all, n_known, n_fresh, n_differ, touched;
  perform traffic_ask(array(select s.id from traffic_session s where s.id = any (touched) and s.job_id is null order by s.id));
  return query select n_fresh, n_known - n_fresh, n_differ, n_all - n_known;
end $$`;

const stop = `
-- Ends a session of the person. Twice: the second finds when it ended. Null where they have none of this id.
create function traffic_stop(book uuid, of_person uuid, of_session uuid) returns timestamptz
${definer} as $$
declare
  s traffic_session%rowtype;
begin
  select x.* into s from traffic_session x where x.id = of_session and x.project_id = book and x.person_id = of_person for no key update;
  if s.id is null then return null; end if;
  perform traffic_end(s.id, least(ledger_clock(), s.started_at + interval '${SESSION_LIFE}'),
    case when ledger_clock() < s.started_at + interval '${SESSION_LIFE}' then 'stopped' else 'expired' end);
  return (select x.ended_at from traffic_session x where x.id = s.id);
end $$`;

const expire = `
-- Ends those that are a day old: at that time, whenever it runs.
create function traffic_expire() returns int
${definer} as $$
declare
  ended int;
begin
  with old as (
    select s.id from traffic_session s where s.ended_at is null and s.started_at <= ledger_clock() - interval '${SESSION_LIFE}'
    order by s.started_at limit ${ROWS_MAX} for no key update skip locked)
  update traffic_session s set ended_at = s.started_at + interval '${SESSION_LIFE}', ended_because = 'expired' from old where s.id = old.id;
  get diagnostics ended = row_count;
  return ended;
end $$`;

const rejob = `
-- New jobs for sessions whose own ended, or is gone, and left their reports. What somebody holds is looked at again later.
create function traffic_rejob() returns int
${definer} as $$
declare
  lost uuid[]; book uuid; again int := 0;
begin
  for book, lost in
    select x.project_id, array_agg(x.id order by x.id) from (
      select s.id, s.project_id from traffic_session s
      where s.job_id is not null and s.asked_at < ledger_clock() - interval '${JOB_LOST_AFTER}'
        and not exists (select from job j where j.id = s.job_id and j.finished_at is null)
      order by s.asked_at limit ${ROWS_MAX} for no key update skip locked) x
    group by 1
  loop
    perform traffic_ask(lost);
    again := again + cardinality(lost);
  end loop;
  return again;
end $$`;

const write = `
-- What was metered of sessions that the caller holds: [{session_id, day, bytes, payable, tiyin_per_mb, micros, gateway_bytes, verdict, reason,
-- unpaid}]. A day that is closed, or that is no more among the metered ones and never was, stays as it is. The price is the day's own.
create function session_day_write(book uuid, metered json) returns int
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
      gateway_bytes = excluded.gateway_bytes, verdict = excluded.verdict, reason = excluded.reason, unpaid = excluded.unpaid, metered_at = excluded.metered_at
    where d.closed_at is null;
  get diagnostics written = row_count;
  return written;
end $$`;

const noneForPublic = `
revoke execute on function
  traffic_partitions(timestamptz), traffic_id_from(int), unpaid_bytes(jsonb), traffic_start(uuid, uuid, uuid, uuid), traffic_end(uuid, timestamptz, text),
  traffic_ask(uuid[]), traffic_report(uuid, json, json), gateway_report_take(uuid, uuid, json), traffic_stop(uuid, uuid, uuid), traffic_expire(),
  traffic_rejob(), session_day_write(uuid, json)
from public`;
