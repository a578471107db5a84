import { Migration } from '@mikro-orm/migrations';

/** Callbacks to customers: endpoints with their secrets, events written beside what they tell of, and the log of deliveries. */
export class Migration0003Webhooks extends Migration {
  override up(): void {
    this.addSql(endpoints);
    this.addSql(events);
    this.addSql(emission);
    this.addSql(verificationEvents);
    this.addSql(jobEvents);
    this.addSql(broadcastEvents);
    this.addSql(endpointEvents);
  }
}

const endpoints = `
create table webhook_endpoint (
  id uuid primary key,
  project_id uuid not null references project,
  -- It hears of what keys of this mode did, and keys of this mode alone see it.
  mode text not null check (mode in ('live', 'test')),
  url text not null,
  -- Of the URL: safe on a board, where a path or a query may hold a token.
  host text not null,
  description text,
  -- Null: every type.
  event_types text[],
  -- The first failure since the last success.
  failing_since timestamptz,
  disabled_at timestamptz,
  disabled_reason text check (disabled_reason in ('owner', 'gone', 'failing')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Deliveries keep pointing at it.
  deleted_at timestamptz,
  check ((disabled_at is null) = (disabled_reason is null))
);
create index webhook_endpoint_project on webhook_endpoint (project_id, mode, id) where deleted_at is null;

create table webhook_secret (
  id uuid primary key,
  project_id uuid not null references project,
  mode text not null,
  -- Null: the project's own, which signs what goes to a callback_url.
  endpoint_id uuid references webhook_endpoint,
  -- Bound to its id.
  sealed bytea not null,
  created_at timestamptz not null,
  -- Null for the current one; one that was replaced goes on signing until then.
  expires_at timestamptz
);
create unique index webhook_secret_current on webhook_secret (project_id, mode, endpoint_id) nulls not distinct where expires_at is null;
create index webhook_secret_owner on webhook_secret (project_id, mode, endpoint_id);

alter table verification add callback_url text;
`;

const events = `
create table webhook_event (
  id uuid primary key,
  project_id uuid not null references project,
  mode text not null,
  type text not null,
  -- The verification, job, broadcast or endpoint that it tells of.
  subject_id uuid not null,
  data jsonb not null,
  callback_url text,
  request_id text,
  happened_at timestamptz not null
);
create index webhook_event_project on webhook_event (project_id, mode, happened_at);
create index webhook_event_age on webhook_event (happened_at);

-- One row for each attempt that reached out: what was asked is known from the event, what was answered stands here.
create table webhook_delivery (
  id uuid primary key,
  project_id uuid not null,
  mode text not null,
  event_id uuid not null,
  event_type text not null,
  endpoint_id uuid,
  job_id uuid not null references job on delete cascade,
  n int not null,
  -- Without its query.
  url text not null,
  outcome text not null check (outcome in ('completed', 'rejected', 'failed', 'snoozed', 'unknown')),
  reason text,
  status_code int,
  latency_ms int not null,
  -- The first bytes of the answer, without what looks like a secret.
  response text,
  at timestamptz not null,
  unique (job_id, n)
);
create index webhook_delivery_project on webhook_delivery (project_id, mode, id);
create index webhook_delivery_event on webhook_delivery (event_id, id);

-- Asks for a turn in a lane without waiting for anybody: a row of lane_turn is locked until the commit, and triggers that
-- lock several of them, each in the order of its own rows, would deadlock. The releaser takes calls and gives turns.
create table lane_call (
  kind text not null,
  project_id uuid not null
);
`;

/** Only what somebody wants to hear is written: for a project without endpoints an event costs one look at an index. */
const emission = `
create function webhook_is_wanted(of_project uuid, of_mode text, of_type text, callback text) returns boolean language plpgsql stable as $$
begin
  return callback is not null or exists (
    select from webhook_endpoint where project_id = of_project and mode = of_mode and deleted_at is null and disabled_at is null
      and (event_types is null or of_type = any (event_types)));
end
$$;

create function webhook_host(url text) returns text language sql immutable as $$
  select substring(url from '^[a-z]+://([^/?#]+)')
$$;

/* One job for each endpoint in 'targets', whose null stands for the event's own callback_url. Seven days: EVENT_LIFE_DAYS. */
create function webhook_enqueue(event webhook_event, targets uuid[], at timestamptz) returns void language sql as $$
  insert into job (id, kind, project_id, mode, subject_id, payload, labels, run_at, deadline_at, accepted_at, request_id)
  select uuidv7(), 'webhook', event.project_id, event.mode, event.id,
    jsonb_build_object('event_id', event.id, 'endpoint_id', target),
    jsonb_build_object('project', p.slug, 'channels', 'webhook', 'to', coalesce(e.host, webhook_host(event.callback_url))),
    at, at + interval '7 days', at, event.request_id
  from unnest(targets) target join project p on p.id = event.project_id left join webhook_endpoint e on e.id = target;
  insert into lane_call (kind, project_id) select 'webhook', event.project_id where cardinality(targets) > 0
$$;

create function webhook_emit(
  of_project uuid, of_mode text, of_type text, subject uuid, at timestamptz, said jsonb, callback text, request text
) returns void language plpgsql as $$
declare
  event webhook_event;
begin
  insert into webhook_event (id, project_id, mode, type, subject_id, data, callback_url, request_id, happened_at)
  values (uuidv7(), of_project, of_mode, of_type, subject, said, callback, request, at) returning * into event;
  perform webhook_enqueue(event, array(
    select id from webhook_endpoint where project_id = of_project and mode = of_mode and deleted_at is null and disabled_at is null
      and (event_types is null or of_type = any (event_types))
    union all select null where callback is not null), at);
end
$$;
`;

const verificationEvents = `
create function webhook_of_verification(v verification) returns jsonb language sql stable as $$
  select jsonb_build_object('id', v.id, 'state', v.state, 'purpose', v.purpose, 'mode', v.mode, 'channels', v.channels,
    'to', (select labels ->> 'to' from job where id = v.job_id), 'metadata', v.metadata, 'created_at', v.created_at,
    'closed_at', v.closed_at)
$$;

create function webhook_on_verification() returns trigger language plpgsql as $$
begin
  if webhook_is_wanted(new.project_id, new.mode, 'verification.' || new.state, new.callback_url) then
    perform webhook_emit(new.project_id, new.mode, 'verification.' || new.state, new.id, coalesce(new.closed_at, now()),
      webhook_of_verification(new), new.callback_url, (select request_id from job where id = new.job_id));
  end if;
  return null;
end
$$;
create trigger webhook_on_verification after update of state on verification for each row
  when (old.state = 'live' and new.state <> 'live') execute function webhook_on_verification();
`;

/** What was cancelled was somebody's own will, and is no news. */
const jobEvents = `
create function webhook_on_code(done job) returns void language plpgsql as $$
declare
  kind text := case done.state when 'completed' then 'verification.delivered' else 'verification.failed' end;
  v verification;
begin
  select * into v from verification where id = done.subject_id;
  if v.id is not null and webhook_is_wanted(done.project_id, done.mode, kind, v.callback_url) then
    perform webhook_emit(done.project_id, done.mode, kind, v.id, done.finished_at,
      webhook_of_verification(v) || jsonb_build_object('job_id', done.id, 'job_state', done.state, 'reason', done.reason),
      v.callback_url, done.request_id);
  end if;
end
$$;

create function webhook_on_message(done job) returns void language plpgsql as $$
declare
  type text := case done.state when 'completed' then 'message.sent' else 'message.failed' end;
begin
  if webhook_is_wanted(done.project_id, done.mode, type, null) then
    perform webhook_emit(done.project_id, done.mode, type, done.id, done.finished_at,
      jsonb_build_object('id', done.id, 'kind', done.kind, 'broadcast_id', done.subject_id, 'state', done.state,
        'reason', done.reason, 'to', done.labels ->> 'to', 'accepted_at', done.accepted_at, 'finished_at', done.finished_at),
      null, done.request_id);
  end if;
end
$$;

/*
 * Once a statement and not once a row: of a batch that nobody wants to hear of, each job costs a look at two indexes (measured:
 * a trigger for each row took 36 of the 77 microseconds of closing an attempt).
 */
create function webhook_on_jobs() returns trigger language plpgsql as $$
declare
  done job;
begin
  for done in
    select n.* from job_after n join job_before o on o.id = n.id
    where o.finished_at is null and n.finished_at is not null and n.state <> 'cancelled'
      and n.kind in ('otp-send', 'telegram-message', 'push')
      and (exists (select from webhook_endpoint e where e.project_id = n.project_id and e.mode = n.mode)
        or (n.kind = 'otp-send' and exists (select from verification v where v.id = n.subject_id and v.callback_url is not null)))
  loop
    if done.kind = 'otp-send' then perform webhook_on_code(done); else perform webhook_on_message(done); end if;
  end loop;
  return null;
end
$$;
create trigger webhook_on_jobs after update on job referencing old table as job_before new table as job_after
  for each statement execute function webhook_on_jobs();
`;

const broadcastEvents = `
create function webhook_on_broadcast() returns trigger language plpgsql as $$
begin
  if webhook_is_wanted(new.project_id, new.mode, 'broadcast.finished', null) then
    perform webhook_emit(new.project_id, new.mode, 'broadcast.finished', new.id, new.finished_at,
      (select jsonb_build_object('id', new.id, 'kind', new.kind, 'state', new.state, 'total', new.total,
        'sent', count(*) filter (where state = 'completed'),
        'cancelled', count(*) filter (where state = 'cancelled'),
        'failed', count(*) filter (where state in ('rejected', 'exhausted', 'expired')),
        -- Of one that was cancelled: those on their way still.
        'waiting', count(*) filter (where finished_at is null),
        'created_at', new.created_at, 'finished_at', new.finished_at)
      from job where subject_id = new.id), null, new.request_id);
  end if;
  return null;
end
$$;
create trigger webhook_on_broadcast after update on broadcast for each row
  when (old.finished_at is null and new.finished_at is not null) execute function webhook_on_broadcast();
`;

/** Its owner hears of it on the other endpoints, in the list of endpoints and, like the staff, nowhere else than in the open. */
const endpointEvents = `
create function webhook_on_disabled() returns trigger language plpgsql as $$
begin
  insert into audit (at, actor, action, subject, detail) values (new.disabled_at, 'navbat', 'webhook.disabled', new.id::text,
    jsonb_build_object('project', new.project_id, 'host', new.host, 'reason', new.disabled_reason));
  if webhook_is_wanted(new.project_id, new.mode, 'endpoint.disabled', null) then
    perform webhook_emit(new.project_id, new.mode, 'endpoint.disabled', new.id, new.disabled_at,
      jsonb_build_object('id', new.id, 'host', new.host, 'reason', new.disabled_reason, 'failing_since', new.failing_since,
        'disabled_at', new.disabled_at), null, null);
  end if;
  return null;
end
$$;
create trigger webhook_on_disabled after update of disabled_at on webhook_endpoint for each row
  when (old.disabled_at is null and new.disabled_at is not null and new.disabled_reason <> 'owner')
  execute function webhook_on_disabled();
`;
