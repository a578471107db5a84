import { Migration } from '@mikro-orm/migrations';

/** People who registered through Telegram (S4.18), and what the bot has already acted on. */
export class Migration0004Registration extends Migration {
  override up(): void {
    this.addSql(users);
    this.addSql(bot);
  }
}

const users = `
create table users (
  id int generated always as identity primary key,
  project_id uuid not null references project,
  -- A test key's people are its own.
  mode text not null check (mode in ('live', 'test')),
  telegram_id bigint not null,
  -- The project's recipient that stands for this chat; erased with it.
  recipient_id uuid not null references recipient on delete cascade,
  -- Null until the person gave it.
  phone_number text,
  -- What shows that the phone is theirs; is_verified shows that the chat is.
  phone_proof text not null default 'none' check (phone_proof in ('contact', 'sms', 'none')),
  is_verified boolean not null default false,
  verified_at timestamptz,
  -- Of the latest code, which itself stands nowhere: its life and its checks are the verification's.
  verification_id uuid,
  -- Somebody else proved the phone: sessions from before are void, and withdrawals wait for a person.
  revoked_at timestamptz,
  superseded_by int references users on delete set null,
  metadata jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (project_id, mode, telegram_id),
  check (phone_number is not null or (phone_proof = 'none' and not is_verified))
);
-- One phone, one account that proved it.
create unique index users_proven_phone on users (project_id, mode, phone_number) where is_verified and phone_proof = 'contact';
create index users_phone on users (project_id, phone_number);
create index users_recipient on users (recipient_id);
create index users_superseded on users (superseded_by) where superseded_by is not null;

-- What happened to them, in the commit in which it did.
create table user_event (
  id bigint generated always as identity primary key,
  project_id uuid not null references project,
  user_id int not null references users on delete cascade,
  kind text not null check (kind in ('verified', 'phone-proved', 'superseded')),
  detail jsonb not null default '{}',
  at timestamptz not null
);
create index user_event_user on user_event (user_id, id);

-- Data that Telegram signed registers once.
create table used_login (
  hash bytea primary key,
  used_at timestamptz not null
);
create index used_login_at on used_login (used_at);
`;

const bot = `
-- Telegram delivers an update at least once; who claimed one works on it, for as long as the claim holds.
create table bot_update (
  bot_id bigint not null,
  update_id bigint not null,
  claimed_at timestamptz not null,
  done_at timestamptz,
  primary key (bot_id, update_id)
);
create index bot_update_at on bot_update (claimed_at);
-- A block, and its end, are Telegram's word on a chat, in every project that knows it.
create index recipient_chat on recipient (telegram_chat_id) where telegram_chat_id is not null;
`;
