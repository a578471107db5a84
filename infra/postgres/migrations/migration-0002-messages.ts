import { Migration } from '@mikro-orm/migrations';

/** Messages to one or to thousands, and the turn that each project's jobs wait for in Postgres. */
export class Migration0002Messages extends Migration {
  override up(): void {
    this.addSql(broadcasts);
    this.addSql(turns);
  }
}

const broadcasts = `
create table broadcast (
  id uuid primary key,
  project_id uuid not null references project,
  kind text not null,
  mode text not null check (mode in ('live', 'test')),
  -- What is sent: it stands here once, and not on ten thousand jobs.
  content jsonb not null,
  state text not null default 'sending' check (state in ('sending', 'paused', 'cancelled', 'finished')),
  total int not null check (total between 1 and 10000),
  send_at timestamptz not null,
  expires_at timestamptz not null,
  dedupe_key text,
  request_id text,
  created_at timestamptz not null,
  finished_at timestamptz,
  unique (project_id, mode, kind, dedupe_key)
);
create index broadcast_project on broadcast (project_id, mode, id);
create index broadcast_unfinished on broadcast (id) where finished_at is null;
-- What retention has not yet taken the words of.
create index broadcast_finished on broadcast (finished_at) where content <> '{}';
`;

const turns = `
-- When its ticket was issued; null while it waits in Postgres for its turn, and then it has no ticket.
alter table job add released_at timestamptz;
update job set released_at = accepted_at;
-- Which chat a message goes to, so that the oldest one for a chat is found at once.
alter table job add chat_id bigint;
create index job_turn on job (kind, project_id, run_at, id) where released_at is null and finished_at is null;
create index job_chat_turn on job (project_id, chat_id, id) where released_at is null and finished_at is null and chat_id is not null;

-- Projects with jobs of a kind that wait for their turn; who was served longest ago comes next.
create table lane_turn (
  kind text not null,
  project_id uuid not null references project,
  served_at timestamptz not null,
  -- Changed by whoever adds work, so that the releaser does not take a turn away that was just asked for.
  stamp uuid not null,
  primary key (kind, project_id)
);
-- Chats for which a project has messages that wait; Telegram takes one a second for each chat.
create table waiting_chat (
  project_id uuid not null references project,
  chat_id bigint not null,
  next_at timestamptz not null,
  stamp uuid not null,
  primary key (project_id, chat_id)
);
-- Chats that Telegram said are closed to the bot; a message from there opens them again.
create table closed_chat (
  chat_id bigint primary key,
  reason text not null,
  closed_at timestamptz not null
);
create index waiting_chat_due on waiting_chat (project_id, next_at);
`;
