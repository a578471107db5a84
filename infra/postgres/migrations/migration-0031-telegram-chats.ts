import { Migration } from '@mikro-orm/migrations';

/** What is known of each chat of the bot, in the order of the updates that said it; and which projects a closed one concerns. */
export class Migration0031TelegramChats extends Migration {
  override up(): void {
    this.addSql(chats);
    this.addSql(uses);
    this.addSql(updates);
    this.addSql(buttons);
    this.addSql(outcomes);
  }
}

const chats = `
create table telegram_chat (
  chat_id bigint primary key,
  -- Its person said /stop.
  opted_out_at timestamptz,
  -- What Telegram says of it: it blocked the bot, removed it, is unknown …
  unreachable text,
  unreachable_at timestamptz,
  closed_reason text generated always as (case when opted_out_at is not null then 'opted-out' else unreachable end) stored,
  closed_at timestamptz generated always as (coalesce(opted_out_at, unreachable_at)) stored,
  -- When it was last opened: a refusal of what was sent before that is old news.
  opened_at timestamptz,
  -- The updates that said something last: an older one that comes later changes nothing.
  wish_update_id bigint,
  wish_at timestamptz,
  reach_update_id bigint,
  reach_at timestamptz,
  -- A group that became a supergroup: what is sent to it goes there.
  migrated_to bigint,
  migrated_at timestamptz,
  check ((unreachable is null) = (unreachable_at is null)),
  check ((migrated_to is null) = (migrated_at is null))
);
create index telegram_chat_unreachable on telegram_chat (unreachable_at) where unreachable is not null;
create index telegram_chat_migrated on telegram_chat (migrated_to) where migrated_to is not null;
-- A /stop that comes now is not left behind.
lock table closed_chat in access exclusive mode;
insert into telegram_chat (chat_id, opted_out_at, unreachable, unreachable_at)
select chat_id, case when reason = 'opted-out' then closed_at end, nullif(reason, 'opted-out'),
  case when reason <> 'opted-out' then closed_at end from closed_chat;
drop table closed_chat;
`;

/** A project sees the closed chats that it sends to, and no others. */
const uses = `
create table closed_chat_use (
  id uuid primary key default uuidv7(),
  project_id uuid not null references project,
  chat_id bigint not null,
  unique (project_id, chat_id)
);
create index closed_chat_use_project on closed_chat_use (project_id, id);
create index closed_chat_use_chat on closed_chat_use (chat_id);

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

create function closed_chat_of_recipient() returns trigger language plpgsql as $$
begin
  if new.telegram_blocked_at is not null and new.telegram_chat_id is not null then
    insert into closed_chat_use (project_id, chat_id) values (new.project_id, new.telegram_chat_id)
    on conflict (project_id, chat_id) do nothing;
  end if;
  return null;
end
$$;
create trigger closed_chat_of_recipient after update of telegram_blocked_at on recipient for each row
  when (old.telegram_blocked_at is null and new.telegram_blocked_at is not null)
  execute function closed_chat_of_recipient();

insert into closed_chat_use (project_id, chat_id)
select project_id, telegram_chat_id from recipient where telegram_blocked_at is not null and telegram_chat_id is not null
union
select j.project_id, j.chat_id from job j join telegram_chat c on c.chat_id = j.chat_id
where j.kind = 'telegram-message' and j.state = 'rejected' and j.mode = 'live' and c.closed_reason is not null;
`;

const updates = `
-- Whose chat an update is about: those of one chat are worked on one after the other, whichever process has them.
alter table bot_update add chat_id bigint;
create index bot_update_open on bot_update (bot_id, chat_id) where done_at is null;
`;

const buttons = `
-- Which message a pressed button stands under.
create index attempt_telegram_message on attempt (provider_reference) where provider = 'telegram-bot' and provider_reference is not null;
-- Who has written to a group: groups alone have negative ids, and groups alone move.
create index job_group on job (chat_id) where chat_id < 0;
`;

/** The reasons that Telegram's refusals have since then. */
const outcomes = `
create or replace function message_outcome(state text, reason text) returns text language sql immutable as $$
  select case state when 'completed' then 'sent' when 'cancelled' then 'cancelled'
    when 'rejected' then case when reason in ('bot-blocked', 'bot-kicked', 'bot-not-started', 'user-deactivated', 'chat-not-found',
      'chat-upgraded', 'token-unregistered', 'opted-out') then 'blocked' else 'failed' end
    else 'failed' end
$$;
`;
