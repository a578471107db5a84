import { Migration } from '@mikro-orm/migrations';

/** Broadcasts with their counts, the chats that wait for a message, and the events that tell of messages. */
export class Migration20261129100700MessageBaseline extends Migration {
  override up(): void {
    this.addSql(broadcasts);
    this.addSql(counting);
    this.addSql(broadcastEvents);
    this.addSql(messageEvents);
    this.addSql(waiting);
    this.addSql(closedChats);
  }
}

const broadcasts = `
create table broadcast (
  id uuid primary key,
  project_id uuid not null references project,
  kind text not null,
  mode text not null check (mode in ('live', 'test')),
  priority text not null default 'normal' check (priority in ('urgent', 'normal', 'bulk')),
  -- What is sent: it is kept here once, and not on ten thousand jobs.
  content jsonb not null,
  state text not null default 'sending' check (state in ('sending', 'paused', 'cancelled', 'finished')),
  total int not null check (total between 1 and 10000),
  -- How many recipients the request named, and how many of them named a destination once more.
  named int,
  duplicates int not null default 0,
  -- How far it is; what broadcast_tally holds is still to be added.
  sent int not null default 0,
  failed int not null default 0,
  blocked int not null default 0,
  cancelled int not null default 0,
  send_at timestamptz not null,
  expires_at timestamptz not null,
  dedupe_key text,
  request_id text,
  created_at timestamptz not null,
  finished_at timestamptz,
  unique (project_id, mode, kind, dedupe_key)
);
create index broadcast_project on broadcast (project_id, mode, id);
create index broadcast_project_kind on broadcast (project_id, mode, kind, id);
create index broadcast_unfinished on broadcast (id) where finished_at is null;
-- What retention has not yet taken the words of.
create index broadcast_finished on broadcast (finished_at) where content <> '{}';
-- What test keys made leaves after a day.
create index broadcast_test_finished on broadcast (finished_at) where mode = 'test';
-- How many urgent ones a project has sent in the last minute.
create index broadcast_urgent on broadcast (project_id, mode, created_at) where priority = 'urgent';

-- A commit that settles jobs writes a row of its own here, so that no two of them wait for one row of broadcast, and none for a
-- cancellation that holds it. The reconciler adds the tallies up (foldTallies); whoever reads adds what is not yet added.
create table broadcast_tally (
  broadcast_id uuid not null,
  sent int not null default 0,
  failed int not null default 0,
  blocked int not null default 0,
  cancelled int not null default 0
-- Its rows live for a second: what they leave is cleared soon, or reading it would grow.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_threshold = 10000);
create index broadcast_tally_broadcast on broadcast_tally (broadcast_id);
`;

/** A retry by staff takes its job's count back. A test key's jobs are finished as they are written: their intake counts them. */
const counting = `
/*
 * What became of a message, in the words of its broadcast's counts. blocked: its address is closed or gone for good; every reason
 * that closes a chat or a device (test/infra/postgres/message/broadcast/broadcasts.test.ts compares).
 */
create function message_outcome(state text, reason text) returns text language sql immutable as $$
  select case state when 'completed' then 'sent' when 'cancelled' then 'cancelled'
    when 'rejected' then case when reason in ('bot-blocked', 'bot-kicked', 'bot-not-started', 'user-deactivated', 'chat-not-found',
      'chat-upgraded', 'token-unregistered', 'opted-out') then 'blocked' else 'failed' end
    else 'failed' end
$$;

create function broadcast_count() returns trigger language plpgsql as $$
begin
  -- Most statements settle nothing: one look at their rows, and no join.
  if not exists (select from job_after where kind in ('telegram-message', 'push') and finished_at is not null)
    and not exists (select from job_before where kind in ('telegram-message', 'push') and finished_at is not null) then
    return null;
  end if;
  insert into broadcast_tally (broadcast_id, sent, failed, blocked, cancelled)
  select subject_id, coalesce(sum(change) filter (where outcome = 'sent'), 0), coalesce(sum(change) filter (where outcome = 'failed'), 0),
    coalesce(sum(change) filter (where outcome = 'blocked'), 0), coalesce(sum(change) filter (where outcome = 'cancelled'), 0)
  from (
    select n.subject_id, message_outcome(n.state, n.reason) outcome, 1 change from job_after n join job_before o on o.id = n.id
    where n.kind in ('telegram-message', 'push') and o.finished_at is null and n.finished_at is not null
    union all
    select o.subject_id, message_outcome(o.state, o.reason), -1 from job_after n join job_before o on o.id = n.id
    where n.kind in ('telegram-message', 'push') and o.finished_at is not null and n.finished_at is null) settled
  group by subject_id;
  return null;
end
$$;
create trigger broadcast_count after update on job referencing old table as job_before new table as job_after
  for each statement execute function broadcast_count();
`;

/** The same five counts as GET /broadcasts/{id}. */
const broadcastEvents = `
create function webhook_on_broadcast() returns trigger language plpgsql as $$
begin
  if webhook_is_wanted(new.project_id, new.mode, 'broadcast.finished', null) then
    perform webhook_emit(new.project_id, new.mode, 'broadcast.finished', new.id, new.finished_at,
      (select jsonb_build_object('id', new.id, 'kind', new.kind, 'state', new.state, 'total', new.total,
        'sent', p.sent, 'failed', p.failed, 'blocked', p.blocked, 'cancelled', p.cancelled,
        'waiting', new.total - p.sent - p.failed - p.blocked - p.cancelled,
        'created_at', new.created_at, 'finished_at', new.finished_at)
      from (
        select new.sent + coalesce(sum(t.sent), 0) sent, new.failed + coalesce(sum(t.failed), 0) failed,
          new.blocked + coalesce(sum(t.blocked), 0) blocked, new.cancelled + coalesce(sum(t.cancelled), 0) cancelled
        from broadcast_tally t where t.broadcast_id = new.id) p), null, new.request_id);
  end if;
  return null;
end
$$;
create trigger webhook_on_broadcast after update on broadcast for each row
  when (old.finished_at is null and new.finished_at is not null) execute function webhook_on_broadcast();
`;

/** What was cancelled was somebody's own will, and is no news. */
const messageEvents = `
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

/* Once a statement, as for codes. */
create function webhook_on_messages() returns trigger language plpgsql as $$
declare
  done job;
begin
  for done in
    select n.* from job_after n join job_before o on o.id = n.id
    where o.finished_at is null and n.finished_at is not null and n.state <> 'cancelled' and n.kind in ('telegram-message', 'push')
      and exists (select from webhook_endpoint e where e.project_id = n.project_id and e.mode = n.mode)
  loop
    perform webhook_on_message(done);
  end loop;
  return null;
end
$$;
create trigger webhook_on_messages after update on job referencing old table as job_before new table as job_after
  for each statement execute function webhook_on_messages();

/* What a test key sends is finished as it is written, and is told of as what live keys send is when it ends. */
create function webhook_on_test_jobs() returns trigger language plpgsql as $$
declare
  done job;
begin
  for done in
    select n.* from job_after n
    where n.mode = 'test' and n.finished_at is not null and n.state <> 'cancelled' and n.kind in ('telegram-message', 'push')
      and exists (select from webhook_endpoint e where e.project_id = n.project_id and e.mode = n.mode)
  loop
    perform webhook_on_message(done);
  end loop;
  return null;
end
$$;
create trigger webhook_on_test_jobs after insert on job referencing new table as job_after
  for each statement execute function webhook_on_test_jobs();
`;

const waiting = `
-- Chats for which a project has messages that wait; Telegram takes one a second for each chat.
create table waiting_chat (
  project_id uuid not null references project,
  chat_id bigint not null,
  -- The first of what waits for the chat.
  priority smallint not null default 1 check (priority between 0 and 2),
  next_at timestamptz not null,
  stamp uuid not null,
  primary key (project_id, chat_id)
) with (autovacuum_vacuum_scale_factor = 0.02);
create index waiting_chat_due on waiting_chat (project_id, priority, next_at);
`;

/** A message that a closed chat refused: its project sees the chat among those that it sends to. */
const closedChats = `
create function closed_chat_of_job() returns trigger language plpgsql as $$
begin
  insert into closed_chat_use (project_id, chat_id)
  select new.project_id, chat_id from telegram_chat where chat_id = new.chat_id and closed_reason is not null
  on conflict (project_id, chat_id) do nothing;
  return null;
end
$$;
create trigger closed_chat_of_job after update of state on job for each row
  when (new.kind = 'telegram-message' and new.state = 'rejected' and new.chat_id is not null and new.mode = 'live')
  execute function closed_chat_of_job();
`;
