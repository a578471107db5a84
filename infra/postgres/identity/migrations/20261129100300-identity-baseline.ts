import { Migration } from '@mikro-orm/migrations';

/** People: what projects know of them, what they own over all projects, how they sign in, and what they approved. */
export class Migration20261129100300IdentityBaseline extends Migration {
  override up(): void {
    this.addSql(persons);
    this.addSql(recipients);
    this.addSql(devices);
    this.addSql(sessions);
    this.addSql(approvals);
    this.addSql(notices);
    this.addSql(registrations);
    this.addSql(bot);
    this.addSql(counting);
  }
}

const persons = `
create table person (
  id uuid primary key,
  -- A test key's people are others than those of the live ones.
  mode text not null default 'live' check (mode in ('live', 'test')),
  -- They reported a push that was not theirs: none is sent to them until then.
  pushes_paused_until timestamptz,
  created_at timestamptz not null
);
create table person_phone (
  -- The hash under which recipients and destinations know the number; a test key's is another one.
  address_hash bytea primary key,
  person_id uuid not null references person on delete cascade,
  phone text not null,
  proof text not null check (proof in ('code', 'contact')),
  proven_at timestamptz not null
);
create index person_phone_person on person_phone (person_id);
create table person_chat (
  mode text not null check (mode in ('live', 'test')),
  telegram_id bigint not null,
  person_id uuid not null references person on delete cascade,
  proven_at timestamptz not null,
  primary key (mode, telegram_id)
);
create index person_chat_person on person_chat (person_id);
`;

const recipients = `
create table recipient (
  id uuid primary key,
  project_id uuid not null references project,
  -- Set when the person first approved for the project: before that it learns nothing of them. Pairwise: one recipient, one
  -- project; its id is what tokens carry as sub.
  person_id uuid references person on delete set null,
  -- The project's own name for this person.
  handle text,
  phone text,
  -- HMAC-SHA256 under PEPPER of the phone, or of the id where there is none: the key of limits and of look-ups.
  address_hash bytea not null,
  telegram_chat_id bigint,
  telegram_blocked_at timestamptz,
  push_token_encrypted bytea,
  -- HMAC-SHA256 under PEPPER: finds who has a token, so that no two handles of a project ever have one.
  push_token_hash bytea,
  locale text check (locale in ('uz', 'ru', 'en')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (address_hash, project_id),
  unique (project_id, handle)
);
create index recipient_push_token on recipient (project_id, push_token_hash) where push_token_hash is not null;
create unique index recipient_person on recipient (project_id, person_id) where person_id is not null;
-- All that a person's own word opens, over all projects.
create index recipient_of_person on recipient (person_id) where person_id is not null;
-- A block, and its end, are Telegram's word on a chat, in every project that knows it.
create index recipient_chat on recipient (telegram_chat_id) where telegram_chat_id is not null;

-- S3's custom user model: who proved a phone to a project.
create table phone_user (
  id uuid primary key,
  project_id uuid not null references project,
  phone text not null,
  created_at timestamptz not null,
  last_login_at timestamptz not null,
  unique (project_id, phone)
);
`;

const devices = `
-- What a QR code carries, used once: not a secret of the device, only the right to become one.
create table enrolment (
  -- SHA-256 of the token.
  token_hash bytea primary key,
  -- Whose device it will be: a person who just proved themselves, or whoever proves the phone of this recipient.
  person_id uuid references person on delete cascade,
  recipient_id uuid references recipient on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  check ((person_id is null) <> (recipient_id is null))
);
create index enrolment_expiry on enrolment (expires_at);
create index enrolment_person on enrolment (person_id) where person_id is not null;
create index enrolment_recipient on enrolment (recipient_id) where recipient_id is not null;

create table device (
  id uuid primary key,
  -- Null until a phone code has proven whose it is.
  person_id uuid references person on delete cascade,
  kind text not null check (kind in ('app', 'authenticator')),
  name text not null,
  platform text,
  -- JWK (RFC 7517), public half only.
  public_key jsonb,
  -- Navbat's own recipient that holds its push address.
  recipient_id uuid references recipient on delete set null,
  -- The project's recipient whose phone must be proven, until it is bound.
  for_recipient_id uuid references recipient on delete cascade,
  -- 160 bits of its own, encrypted and bound to its id; gone once it is revoked.
  totp_encrypted bytea,
  -- The last step that was accepted: none up to it is accepted again (RFC 6238 §5.2).
  totp_last_step bigint,
  -- Wrong codes over its whole life.
  totp_failures int not null default 0,
  -- A new secret on its way to the device, and the old one while codes of it may be on their way to us.
  totp_next_encrypted bytea,
  totp_previous_encrypted bytea,
  totp_previous_until timestamptz,
  rotation_wanted_at timestamptz,
  -- What it must sign, and the phone code it must bring along, until it is bound.
  nonce bytea,
  verification_id uuid,
  confirm_until timestamptz,
  confirm_tries int not null default 0,
  created_at timestamptz not null,
  bound_at timestamptz,
  last_used_at timestamptz,
  -- What the device's own clock said when it last signed in: none up to it is taken again, so that nothing is replayed.
  signed_in_at timestamptz,
  revoked_at timestamptz,
  check ((kind = 'app') = (public_key is not null)),
  check (bound_at is null or person_id is not null),
  check (revoked_at is not null or totp_encrypted is not null)
);
create index device_person on device (person_id) where revoked_at is null;
create index device_unconfirmed on device (confirm_until) where bound_at is null;
create index device_recipient on device (recipient_id) where recipient_id is not null;
create index device_for_recipient on device (for_recipient_id) where for_recipient_id is not null;
create index device_revoked on device (revoked_at) where revoked_at is not null and recipient_id is not null;
create index device_previous on device (totp_previous_until) where totp_previous_encrypted is not null;
`;

const sessions = `
create table session (
  id uuid primary key,
  person_id uuid not null references person on delete cascade,
  project_id uuid not null references project,
  mode text not null check (mode in ('live', 'test')),
  -- The sub of its tokens.
  recipient_id uuid not null references recipient on delete cascade,
  device_id uuid references device on delete cascade,
  method text not null check (method in ('telegram', 'code', 'approval', 'device')),
  user_agent text,
  -- The approval that it was opened for, and once only.
  verification_id uuid,
  -- Counts refreshes: a refresh token is derived from the session and this number, and stands nowhere.
  generation int not null default 0,
  refreshed_at timestamptz not null,
  authenticated_at timestamptz not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_because text check (revoked_because in ('signed-out', 'ended', 'reused', 'device-revoked', 'superseded', 'too-many'))
);
create unique index session_verification on session (verification_id) where verification_id is not null;
create index session_person on session (person_id, project_id, id) where revoked_at is null;
create index session_device on session (device_id) where device_id is not null;
create index session_recipient on session (recipient_id);
create index session_expiry on session (expires_at);
`;

const approvals = `
-- One for each send by push to Navbat's own app, whether anybody has it or not: a row without a person costs and looks the same.
create table challenge (
  id uuid primary key,
  job_id uuid not null unique,
  verification_id uuid not null,
  project_id uuid not null,
  person_id uuid,
  state text not null default 'pending' check (state in ('pending', 'approved', 'denied', 'reported', 'mismatched')),
  -- Whether a push went out, or why none did; the app may still fetch it.
  pushed text check (pushed in ('sent', 'paused', 'limited', 'unreachable')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  fetched_at timestamptz,
  answered_at timestamptz
);
create index challenge_person on challenge (person_id, id) where person_id is not null;
create index challenge_verification on challenge (verification_id);
create index challenge_age on challenge (expires_at);

-- What a device signed, kept as evidence: neither changed nor deleted, and readable without any other row.
create table approval (
  challenge_id uuid primary key,
  verification_id uuid not null,
  project_id uuid not null,
  person_id uuid not null,
  device_id uuid not null,
  result text not null check (result in ('approved', 'denied', 'reported', 'mismatched')),
  -- RFC 8785 JSON; the signature is over the domain line and these bytes.
  statement text not null,
  signature bytea not null,
  public_key jsonb not null,
  at timestamptz not null
);
create index approval_verification on approval (verification_id);
create index approval_person on approval (person_id, at);
create function approval_is_kept() returns trigger language plpgsql as $$
begin
  raise exception 'approvals are kept as they were signed';
end
$$;
create trigger approval_is_kept before update or delete on approval for each row execute function approval_is_kept();
`;

const notices = `
-- What a person is told on their own devices and chats; written in the commit in which it happened, and sent by the announcer.
create table person_notice (
  id uuid primary key,
  person_id uuid not null references person on delete cascade,
  kind text not null check (kind in ('challenge', 'device-bound', 'device-revoked', 'chat-bound', 'lock-lifted', 'rotate')),
  -- The challenge or the device; the person where it is neither.
  subject_id uuid not null,
  at timestamptz not null,
  announced_at timestamptz
);
create index person_notice_waiting on person_notice (at) where announced_at is null;
create index person_notice_person on person_notice (person_id);
create index person_notice_age on person_notice (announced_at) where announced_at is not null;
`;

const registrations = `
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
  -- Whose chat it is about: those of one chat are worked on one after the other, whichever process has them.
  chat_id bigint,
  claimed_at timestamptz not null,
  done_at timestamptz,
  primary key (bot_id, update_id)
);
create index bot_update_at on bot_update (claimed_at);
create index bot_update_open on bot_update (bot_id, chat_id) where done_at is null;
create index recipient_project on recipient (project_id, id);
`;

/** People are counted for the ceiling of their project: once a statement, as jobs are. */
const counting = `
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
