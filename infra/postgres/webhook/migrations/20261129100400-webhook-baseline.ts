import { Migration } from '@mikro-orm/migrations';

/** Callbacks to customers: endpoints with their secrets, events, and the log of deliveries. */
export class Migration20261129100400WebhookBaseline extends Migration {
  override up(): void {
    this.addSql(endpoints);
    this.addSql(events);
    this.addSql(times);
    this.addSql(emission);
    this.addSql(endpointEvents);
    this.addSql(webhookJobs);
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
create index webhook_endpoint_deleted on webhook_endpoint (deleted_at) where deleted_at is not null;
create index webhook_endpoint_project on webhook_endpoint (project_id, mode, id) where deleted_at is null;

create table webhook_secret (
  id uuid primary key,
  project_id uuid not null references project,
  mode text not null,
  -- Null: the project's own, which signs what goes to a callback_url.
  endpoint_id uuid references webhook_endpoint,
  -- Bound to its id.
  encrypted bytea not null,
  created_at timestamptz not null,
  -- Null for the current one; one that was replaced goes on signing until then.
  expires_at timestamptz
);
create unique index webhook_secret_current on webhook_secret (project_id, mode, endpoint_id) nulls not distinct where expires_at is null;
create index webhook_secret_owner on webhook_secret (project_id, mode, endpoint_id);
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
create index webhook_event_test_age on webhook_event (happened_at) where mode = 'test';

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
`;

/** Times in events read as everywhere in the API: ISO 8601, UTC, milliseconds, `Z`; Postgres writes microseconds and its session's offset.
 * By the name of a member, not by its look: what a project gave us stays as it was given, even where it reads like a time. */
const times = `
create function webhook_times() returns trigger language plpgsql as $$
begin
  new.data := (
    select coalesce(jsonb_object_agg(key, case
      when (key like '%\\_at' or key = 'failing_since') and jsonb_typeof(value) = 'string'
      then to_jsonb(to_char(date_trunc('milliseconds', (value #>> '{}')::timestamptz) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      else value end), '{}')
    from jsonb_each(new.data));
  return new;
end
$$;
create trigger webhook_times before insert on webhook_event for each row execute function webhook_times();
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
  insert into turn_request (kind, project_id) select 'webhook', event.project_id where cardinality(targets) > 0
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

/** Its owner hears of it on the other endpoints, in the list of endpoints and, like the staff, in the audit. */
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

/** A customer's dead server must not stop its codes, so that calls to it count as kept rows and not as queued ones. */
const webhookJobs = `
create or replace function counts_as_queued(kind text) returns boolean language sql immutable as $$ select kind <> 'webhook' $$;
-- Calls that have a queue entry and were not sent away to sleep.
create index job_webhook_in_hand on job (project_id)
  where kind = 'webhook' and scheduled_at is not null and finished_at is null and run_at <= scheduled_at;
create index webhook_delivery_endpoint on webhook_delivery (endpoint_id, id) where endpoint_id is not null;
create index webhook_delivery_outcome on webhook_delivery (project_id, mode, outcome, id);
create index webhook_event_listed on webhook_event (project_id, mode, id);
create index webhook_event_type on webhook_event (project_id, mode, type, id);
-- Whether a pressed button was told before.
create index webhook_event_pressed on webhook_event (subject_id) where type = 'telegram.callback';
`;
