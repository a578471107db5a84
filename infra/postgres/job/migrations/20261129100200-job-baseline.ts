import { Migration } from '@mikro-orm/migrations';

/** Jobs with their attempts, what finds a lost queue entry again, the turns of projects, and the workers that are alive. */
export class Migration20261129100200JobBaseline extends Migration {
  override up(): void {
    this.addSql(jobs);
    this.addSql(queues);
    this.addSql(counting);
  }
}

const jobs = `
-- The tables that every send writes (job, attempt, verification) hold no foreign key to what is never deleted, or deleted with
-- them by retention: each check costs as much as the row itself (measured: 30 of the 70 µs of opening an attempt).
create table job (
  id uuid primary key,
  kind text not null,
  project_id uuid not null,
  -- The row of its context that this job serves (a verification …), and who it is for.
  subject_id uuid not null,
  -- Of the key that asked for it: a test key reads those of its own mode only.
  mode text not null default 'live' check (mode in ('live', 'test')),
  address_hash bytea,
  -- Which chat a message goes to, so that the oldest one for a chat is found at once.
  chat_id bigint,
  state text not null default 'queued'
    check (state in ('queued', 'running', 'retrying', 'completed', 'rejected', 'failed', 'cancelled', 'expired')),
  reason text,
  payload jsonb not null,
  labels jsonb not null,
  -- The place in the list of priorities: 0 goes first.
  priority smallint not null default 1 check (priority between 0 and 2),
  attempts int not null default 0,
  -- Staff had it tried again: attempts up to this one stay as they are, and decide nothing.
  attempts_before int not null default 0,
  -- What it may still need of its project's budget. It is part of the job, so that it ends with the job, whatever ends it.
  reserved_micros bigint not null default 0,
  reserved_for_stranger boolean not null default false,
  -- Its queue entry sleeps until then.
  run_at timestamptz not null,
  deadline_at timestamptz not null,
  accepted_at timestamptz not null,
  -- When its queue entry was issued; null while it waits in Postgres for its turn, and then it has no queue entry.
  scheduled_at timestamptz,
  finished_at timestamptz,
  -- How it failed. An index on the state itself would be written each time that a job begins to run.
  failed_as text generated always as (case when state in ('rejected', 'failed', 'cancelled', 'expired') then state end) stored,
  request_id text
-- Half of a page stays free for the versions that opening and closing write; elsewhere they would cost an entry in each index.
) with (fillfactor = 50);
create index job_unfinished on job (id) where finished_at is null;
create index job_deadline on job (deadline_at) where finished_at is null;
create index job_project on job (project_id, id);
-- A page of the few that test keys made is not looked for among all that is live.
create index job_test on job (project_id, id) where mode = 'test';
-- Failures are few: a page of them is not looked for among all that went well.
create index job_failed on job (project_id, failed_as, id) where failed_as is not null;
create index job_subject on job (subject_id);
create index job_address on job (address_hash) where address_hash is not null;
create index job_finished on job (finished_at) where finished_at is not null;
-- What test keys made leaves after a day.
create index job_test_finished on job (finished_at) where mode = 'test' and finished_at is not null;
create index job_turn on job (kind, project_id, priority, run_at, id) where scheduled_at is null and finished_at is null;
create index job_chat_turn on job (project_id, chat_id, priority, run_at, id)
  where scheduled_at is null and finished_at is null and chat_id is not null;
-- Who has written to a group: groups alone have negative ids, and groups alone move.
create index job_group on job (chat_id) where chat_id < 0;

create table attempt (
  job_id uuid not null,
  n int not null check (n > 0),
  project_id uuid not null,
  channel text,
  provider text not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  outcome text check (outcome in ('completed', 'rejected', 'failed', 'snoozed', 'unknown')),
  reason text,
  provider_reference text,
  -- One line in the provider's own words, with numbers, links and tokens taken out.
  provider_message text check (length(provider_message) <= 400),
  -- The next try on this provider comes no sooner: a wake-up that reads the attempt again must know it.
  retry_after_ms int check (retry_after_ms >= 0),
  cost_micros bigint,
  cost_currency text,
  latency_ms int,
  -- What the provider's callbacks said later.
  delivery text check (delivery in ('sent', 'delivered', 'read', 'failed', 'expired')),
  delivery_reason text,
  delivery_at timestamptz,
  request_id text,
  primary key (job_id, n)
) with (fillfactor = 85);
create unique index attempt_open on attempt (job_id) where outcome is null;
create index attempt_project_opened on attempt (project_id, opened_at);
-- Which message a pressed button stands under.
create index attempt_telegram_message on attempt (provider_reference) where provider = 'telegram-bot' and provider_reference is not null;

-- One row a batch of the intake: which queue entries are still to be published.
create table outbox (
  id bigint generated always as identity primary key,
  job_ids uuid[] not null,
  at timestamptz not null,
  published_at timestamptz
);
create index outbox_unpublished on outbox (at) where published_at is null;

-- Idempotency: one key, one job, one answer. A table of its own, since keys expire after a day.
create table request (
  project_id uuid not null,
  key text not null,
  body_hash bytea not null,
  answer jsonb not null,
  at timestamptz not null,
  primary key (project_id, key)
);
create index request_at on request (at);
`;

const queues = `
create table queue (
  kind text primary key,
  paused_at timestamptz,
  paused_by text,
  paused_reason text
);

-- Projects with jobs of a kind that wait for their turn. 'served_at' is a place in the line and a time at once: nobody is looked
-- at before it, and the longest ago comes first.
create table scheduler_turn (
  kind text not null,
  project_id uuid not null references project,
  served_at timestamptz not null,
  -- Changed by whoever adds work, so that the scheduler does not take a turn away that was just asked for.
  stamp uuid not null,
  primary key (kind, project_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index scheduler_turn_due on scheduler_turn (kind, served_at);

-- A page of one kind, however few there are of it among a project's jobs.
create index job_project_kind on job (project_id, kind, id);
-- A page of what waits, not looked for among all that wait in other projects.
create index job_project_unfinished on job (project_id, id) where finished_at is null;
-- What a project's unfinished jobs may still need of its budget: few, as each ends within minutes.
create index job_reserved on job (project_id) include (reserved_micros, reserved_for_stranger)
  where finished_at is null and reserved_micros > 0;

-- Asks for a turn without waiting for anybody: a row of scheduler_turn is locked until the commit, and triggers that lock several of
-- them, each in the order of its own rows, would deadlock. The scheduler takes calls and gives turns.
create table turn_request (
  kind text not null,
  project_id uuid not null
);

-- One row a worker process, written every few seconds and forgotten after an hour.
create table worker_heartbeat (
  id uuid primary key,
  -- Kinds that it works on, and 'reconciler'.
  roles text[] not null,
  -- When its reconciler last ended a round; null where it has none, or none has ended yet.
  reconciled_at timestamptz,
  at timestamptz not null
);
`;

/**
 * Once a statement: a batch costs one small insert. `counts_as_queued`: a context whose backlog must not stop the others replaces it.
 */
const counting = `
create function counts_as_queued(kind text) returns boolean language sql immutable as $$ select true $$;
create function count_new_jobs() returns trigger language plpgsql as $$
begin
  insert into project_rows_change (project_id, what, n)
  select project_id, mode, count(*) from job_after group by 1, 2
  union all
  select project_id, 'queued', count(*) from job_after where mode = 'live' and finished_at is null and counts_as_queued(kind) group by 1;
  return null;
end
$$;
create trigger count_new_jobs after insert on job referencing new table as job_after
  for each statement execute function count_new_jobs();

create function count_changed_jobs() returns trigger language plpgsql as $$
begin
  insert into project_rows_change (project_id, what, n)
  select project_id, 'queued', sum(one) from (
    select project_id, -1 one from job_before where mode = 'live' and finished_at is null and counts_as_queued(kind)
    union all
    select project_id, 1 from job_after where mode = 'live' and finished_at is null and counts_as_queued(kind)) both_sides
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
  select project_id, 'queued', -count(*) from job_before where mode = 'live' and finished_at is null and counts_as_queued(kind) group by 1;
  return null;
end
$$;
create trigger count_gone_jobs after delete on job referencing old table as job_before
  for each statement execute function count_gone_jobs();
`;
