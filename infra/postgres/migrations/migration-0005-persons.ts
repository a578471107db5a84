import { Migration } from '@mikro-orm/migrations';

/** People and what they own over all projects: phones, chats, devices, sessions, and what they approved. */
export class Migration0005Persons extends Migration {
  override up(): void {
    this.addSql(platform);
    this.addSql(persons);
    this.addSql(devices);
    this.addSql(sessions);
    this.addSql(approvals);
    this.addSql(notices);
    this.addSql(verifications);
    this.addSql(guesses);
  }
}

/** Its id is `PLATFORM_PROJECT_ID`. */
const platform = `
insert into project (id, slug, settings, created_at)
values ('01990000-0000-7000-8000-000000000001', 'navbat', '{"display_name": "Navbat"}', now());
`;

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
-- Set when the person first approved for the project: before that it learns nothing of them. Pairwise: one recipient, one
-- project; its id is what tokens carry as sub.
alter table recipient add person_id uuid references person on delete set null;
create unique index recipient_person on recipient (project_id, person_id) where person_id is not null;
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
  -- 160 bits of its own, sealed and bound to its id; gone once it is revoked.
  totp_sealed bytea,
  -- The last step that was accepted: none up to it is accepted again (RFC 6238 §5.2).
  totp_last_step bigint,
  -- Wrong codes over its whole life.
  totp_failures int not null default 0,
  -- A new secret on its way to the device, and the old one while codes of it may be on their way to us.
  totp_next_sealed bytea,
  totp_previous_sealed bytea,
  totp_previous_until timestamptz,
  reseed_wanted_at timestamptz,
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
  check (revoked_at is not null or totp_sealed is not null)
);
create index device_person on device (person_id) where revoked_at is null;
create index device_unconfirmed on device (confirm_until) where bound_at is null;
create index device_recipient on device (recipient_id) where recipient_id is not null;
create index device_for_recipient on device (for_recipient_id) where for_recipient_id is not null;
create index device_revoked on device (revoked_at) where revoked_at is not null and recipient_id is not null;
create index device_previous on device (totp_previous_until) where totp_previous_sealed is not null;
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
  kind text not null check (kind in ('challenge', 'device-bound', 'device-revoked', 'chat-bound', 'lock-lifted', 'reseed')),
  -- The challenge or the device; the person where it is neither.
  subject_id uuid not null,
  at timestamptz not null,
  announced_at timestamptz
);
create index person_notice_waiting on person_notice (at) where announced_at is null;
create index person_notice_person on person_notice (person_id);
create index person_notice_age on person_notice (announced_at) where announced_at is not null;
`;

const verifications = `
alter table verification add payment jsonb;
alter table verification drop constraint verification_state_check;
alter table verification add constraint verification_state_check
  check (state in ('live', 'approved', 'denied', 'cancelled', 'expired', 'spent'));

-- A send whose only channel is a device's own code delivers nothing, and there is nothing to tell of it.
create or replace function webhook_on_code(done job) returns void language plpgsql as $$
declare
  kind text := case done.state when 'completed' then 'verification.delivered' else 'verification.failed' end;
  v verification;
begin
  select * into v from verification where id = done.subject_id and done.reason is distinct from 'nothing-to-send';
  if v.id is not null and webhook_is_wanted(done.project_id, done.mode, kind, v.callback_url) then
    perform webhook_emit(done.project_id, done.mode, kind, v.id, done.finished_at,
      webhook_of_verification(v) || jsonb_build_object('job_id', done.id, 'job_state', done.state, 'reason', done.reason),
      v.callback_url, done.request_id);
  end if;
end
$$;
`;

const guesses = `
-- Wrong codes where a device's would have been taken: on the row that a wrong check writes anyway, so that it costs the same
-- whether there are devices or not. They count until the person acts on a device or in their chat.
alter table destination add totp_failures int not null default 0;
-- Of these, how many the devices themselves have not been told yet, which the sweep does.
alter table destination add totp_untold int not null default 0;
create index destination_totp_untold on destination (address_hash) where totp_untold > 0;
-- All that a person's own word opens, over all projects.
create index recipient_of_person on recipient (person_id) where person_id is not null;
`;
