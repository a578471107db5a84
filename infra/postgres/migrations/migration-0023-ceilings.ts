import { Migration } from '@mikro-orm/migrations';

/** What bounds a project beyond its own settings, and the counts of its rows that the intake asks. */
export class Migration0023Ceilings extends Migration {
  override up(): void {
    this.addSql(ceilings);
    this.addSql(counts);
    // The triggers hold off whoever writes rows until the commit: counted before that, what was written in between would be in no count.
    this.addSql(counting);
    this.addSql(existing);
    this.addSql(testRetention);
  }
}

/** Projects that there are keep what they have set, and Navbat's own has no customer to bound. */
const ceilings = `
alter table project add ceilings jsonb not null default '{}';
update project set ceilings =
  case when (settings ->> 'sms_daily_budget_micros')::bigint > 50000000
    then jsonb_build_object('sms_daily_budget_micros', settings -> 'sms_daily_budget_micros') else '{}' end
  || case when (settings ->> 'sends_per_hour')::bigint > 10 then jsonb_build_object('sends_per_hour', settings -> 'sends_per_hour') else '{}' end
  || case when (settings ->> 'requests_per_minute')::bigint > 12000
    then jsonb_build_object('requests_per_minute', settings -> 'requests_per_minute') else '{}' end
  || case when settings ? 'sms_countries' then jsonb_build_object('sms_countries', settings -> 'sms_countries') else '{}' end;
update project set ceilings = ceilings || '{"sms_daily_budget_micros": 1000000000, "rows_queued": 10000000, "rows_kept": 100000000, "people": 100000000}'
where slug = 'navbat';
`;

const counts = `
create table project_rows (
  project_id uuid not null,
  what text not null check (what in ('queued', 'live', 'test', 'people')),
  n bigint not null,
  primary key (project_id, what)
);
-- Written beside what it counts, and taken into project_rows by the sweep: nobody waits for a row that others count in, and
-- two transactions that count in several projects can't wait for each other.
create table project_rows_change (
  project_id uuid not null,
  what text not null,
  n int not null
);
create index project_rows_change_project on project_rows_change (project_id);
`;

const existing = `
insert into project_rows (project_id, what, n)
select project_id, mode, count(*) from job group by 1, 2
union all
select project_id, 'queued', count(*) from job where mode = 'live' and finished_at is null and kind <> 'webhook' group by 1
union all
select project_id, 'people', count(*) from recipient group by 1;
`;

/**
 * Once a statement: a batch costs one small insert. Calls to webhooks are kept rows as any other, and not queued ones: a customer's
 * dead server must not stop its codes.
 */
const counting = `
create function count_new_jobs() returns trigger language plpgsql as $$
begin
  insert into project_rows_change (project_id, what, n)
  select project_id, mode, count(*) from job_after group by 1, 2
  union all
  select project_id, 'queued', count(*) from job_after where mode = 'live' and finished_at is null and kind <> 'webhook' group by 1;
  return null;
end
$$;
create trigger count_new_jobs after insert on job referencing new table as job_after
  for each statement execute function count_new_jobs();

create function count_changed_jobs() returns trigger language plpgsql as $$
begin
  insert into project_rows_change (project_id, what, n)
  select project_id, 'queued', sum(one) from (
    select project_id, -1 one from job_before where mode = 'live' and finished_at is null and kind <> 'webhook'
    union all
    select project_id, 1 from job_after where mode = 'live' and finished_at is null and kind <> 'webhook') both_sides
  group by 1 having sum(one) <> 0;
  return null;
end
$$;
create trigger count_changed_jobs after update on job referencing old table as job_before new table as job_after
  for each statement execute function count_changed_jobs();

create function count_gone_jobs() returns trigger language plpgsql as $$
begin
  insert into project_rows_change (project_id, what, n)
  select project_id, mode, -count(*) from job_before group by 1, 2
  union all
  select project_id, 'queued', -count(*) from job_before where mode = 'live' and finished_at is null and kind <> 'webhook' group by 1;
  return null;
end
$$;
create trigger count_gone_jobs after delete on job referencing old table as job_before
  for each statement execute function count_gone_jobs();

create function count_new_people() returns trigger language plpgsql as $$
declare
  full_project record;
begin
  insert into project_rows_change (project_id, what, n) select project_id, 'people', count(*) from people_after group by 1;
  -- Sees what is committed and its own: two at once may each be the last one.
  select p.id, (p.ceilings ->> 'people')::bigint ceiling, counted.n into full_project
  from (select distinct project_id from people_after) a join project p on p.id = a.project_id
  cross join lateral (select coalesce(sum(n), 0) n from (
    select n from project_rows where project_id = p.id and what = 'people'
    union all select n from project_rows_change where project_id = p.id and what = 'people') c) counted
  where counted.n > coalesce((p.ceilings ->> 'people')::bigint, 500000) limit 1;
  if full_project.id is not null then
    raise exception 'ceiling people is reached' using errcode = 'NB001',
      detail = json_build_object('limit', coalesce(full_project.ceiling, 500000), 'used', full_project.n - 1)::text;
  end if;
  return null;
end
$$;
create trigger count_new_people after insert on recipient referencing new table as people_after
  for each statement execute function count_new_people();

create function count_gone_people() returns trigger language plpgsql as $$
begin
  insert into project_rows_change (project_id, what, n) select project_id, 'people', -count(*) from people_before group by 1;
  return null;
end
$$;
create trigger count_gone_people after delete on recipient referencing old table as people_before
  for each statement execute function count_gone_people();
`;

/** What test keys made leaves after a day; each index holds their rows alone. */
const testRetention = `
create index job_test_finished on job (finished_at) where mode = 'test' and finished_at is not null;
create index verification_test_created on verification (created_at) where mode = 'test';
create index webhook_event_test_age on webhook_event (happened_at) where mode = 'test';
create index broadcast_test_finished on broadcast (finished_at) where mode = 'test';
create index webhook_endpoint_deleted on webhook_endpoint (deleted_at) where deleted_at is not null;
`;
