import { Migration } from '@mikro-orm/migrations';

/** The chats of the bot, and who sends to those that are closed. */
export class Migration20261129100550TelegramBaseline extends Migration {
  override up(): void {
    this.addSql(chats);
    this.addSql(uses);
  }
}

const chats = `
-- What is known of each chat of the bot, in the order of the updates that said it.
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
-- Open chats, by when they were last heard from: the reconciler asks each second.
create index telegram_chat_open on telegram_chat ((coalesce(greatest(wish_at, reach_at, opened_at), '-infinity')))
  where closed_reason is null and migrated_to is null;
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
`;
