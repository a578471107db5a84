import { Migration } from '@mikro-orm/migrations';

/** What a person said themselves: their project cannot take it back, and their link is of the chat that it was sent to. */
export class Migration20261129130100MessagePersonSaid extends Migration {
  override up(): void {
    this.addSql(own);
    this.addSql(optOuts);
    this.addSql(links);
  }
}

const own = `
alter table message_preference add column own_opted_out boolean not null default false;
alter table message_preference add column own_categories_off text[] not null default '{}' check (cardinality(own_categories_off) <= 200);
alter table message_preference add column own_quiet boolean not null default false;
-- The last one who changed them is all that is known of rows from before.
update message_preference set own_opted_out = opted_out_at is not null, own_categories_off = categories_off,
  own_quiet = quiet_from is not null where changed_by in ('page', 'one-click', 'bot');
`;

const optOuts = `
-- Outlives its recipient, so that to erase and make them again is no way round it. A keyed hash of the chat or the push token: whose
-- it is cannot be read from it, and no less would find them again. No date ends a wish: it leaves when its person takes it back.
create table message_opt_out (
  project_id uuid not null references project,
  destination_hash bytea not null,
  opted_out_at timestamptz not null,
  primary key (project_id, destination_hash)
);
`;

const links = `
-- A link was sent to a chat, or to a device where there is none: whoever had that has this recipient's page no more.
create function message_close_link() returns trigger language plpgsql as $$
begin
  insert into message_preference as p (recipient_id, project_id, link_version) values (new.id, new.project_id, 1)
  on conflict (recipient_id) do update set link_version = p.link_version + 1;
  return null;
end
$$;
create trigger message_close_link after update of telegram_chat_id, push_token_hash, phone on recipient for each row
  when (old.telegram_chat_id is not null and old.telegram_chat_id is distinct from new.telegram_chat_id
    or old.telegram_chat_id is null and old.push_token_hash is not null and old.push_token_hash is distinct from new.push_token_hash
    or old.phone is not null and new.phone is not null and old.phone <> new.phone)
  execute function message_close_link();
`;
