import { Migration } from '@mikro-orm/migrations';

/** Projects, keys, recipients, verifications, jobs with their attempts, and what finds a lost ticket again. */
export class Migration0001Spine extends Migration {
  override up(): void {
    this.addSql(projects);
    this.addSql(people);
    this.addSql(jobs);
    this.addSql(verifications);
    this.addSql(limits);
    this.addSql(staff);
  }
}

const projects = `
create table project (
  id uuid primary key,
  slug text not null unique,
  settings jsonb not null default '{}',
  created_at timestamptz not null,
  archived_at timestamptz
);
create table api_key (
  id uuid primary key,
  project_id uuid not null references project,
  access text not null check (access in ('secret', 'publishable')),
  mode text not null check (mode in ('live', 'test')),
  -- HMAC-SHA256 of the key under PEPPER: a dump of this table opens nothing.
  hash bytea not null unique,
  -- The last four characters, so that a person can tell two keys apart.
  hint text not null,
  scopes text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
create index api_key_project on api_key (project_id);
`;

const people = `
create table recipient (
  id uuid primary key,
  project_id uuid not null references project,
  -- The project's own name for this person.
  handle text,
  phone text,
  -- HMAC-SHA256 under PEPPER of the phone, or of the id where there is none: the key of limits and of look-ups.
  address_hash bytea not null,
  telegram_chat_id bigint,
  telegram_blocked_at timestamptz,
  push_token_sealed bytea,
  locale text check (locale in ('uz', 'ru', 'en')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (address_hash, project_id),
  unique (project_id, handle)
);
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

const jobs = `
-- The tables that every send writes (job, attempt, verification) hold no foreign key to what is never deleted, or deleted with
-- them by retention: each check costs as much as the row itself (measured: 30 of the 70 µs of opening an attempt).
create table job (
  id uuid primary key,
  kind text not null,
  project_id uuid not null,
  -- The domain row this job serves (a verification …), and who it is for.
  subject_id uuid not null,
  -- Of the key that asked for it: a test key reads those of its own mode only.
  mode text not null default 'live' check (mode in ('live', 'test')),
  address_hash bytea,
  state text not null default 'accepted'
    check (state in ('accepted', 'running', 'completed', 'rejected', 'exhausted', 'cancelled', 'expired')),
  reason text,
  payload jsonb not null,
  labels jsonb not null,
  attempts int not null default 0,
  -- Staff had it tried again: attempts up to this one stay as they are, and decide nothing.
  attempts_before int not null default 0,
  -- Its ticket sleeps until then.
  run_at timestamptz not null,
  deadline_at timestamptz not null,
  accepted_at timestamptz not null,
  finished_at timestamptz,
  -- How it failed. An index on the state itself would be written each time that a job begins to run.
  failed_as text generated always as (case when state in ('rejected', 'exhausted', 'cancelled', 'expired') then state end) stored,
  request_id text
-- Half of a page stays free for the versions that opening and closing write; elsewhere they would cost an entry in each index.
) with (fillfactor = 50);
create index job_unfinished on job (id) where finished_at is null;
create index job_deadline on job (deadline_at) where finished_at is null;
create index job_project on job (project_id, id);
-- A page of the few that test keys made is not looked for among all that is live.
create index job_test on job (project_id, id) where mode = 'test';
-- Failures are few: a page of them is not looked for among all that went well.
create index job_failed on job (project_id, failed_as, id) where failed_as is not null;
create index job_subject on job (subject_id);
create index job_address on job (address_hash) where address_hash is not null;
create index job_finished on job (finished_at) where finished_at is not null;

create table attempt (
  job_id uuid not null,
  n int not null check (n > 0),
  project_id uuid not null,
  channel text,
  provider text not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  outcome text check (outcome in ('completed', 'rejected', 'failed', 'snoozed', 'unknown')),
  reason text,
  provider_reference text,
  cost_micros bigint,
  cost_currency text,
  latency_ms int,
  -- What the provider's callbacks said later.
  delivery text check (delivery in ('sent', 'delivered', 'read', 'failed', 'expired')),
  delivery_reason text,
  delivery_at timestamptz,
  request_id text,
  primary key (job_id, n)
) with (fillfactor = 85);
create unique index attempt_open on attempt (job_id) where outcome is null;
create index attempt_project_opened on attempt (project_id, opened_at);

-- One row a batch of the intake: which tickets are still to be published.
create table outbox (
  id bigint generated always as identity primary key,
  job_ids uuid[] not null,
  at timestamptz not null,
  published_at timestamptz
);
create index outbox_unpublished on outbox (at) where published_at is null;

create table lane (
  kind text primary key,
  paused_at timestamptz,
  paused_by text
);

-- Idempotency: one key, one job, one answer. A table of its own, since keys expire after a day.
create table request (
  project_id uuid not null,
  key text not null,
  body_hash bytea not null,
  answer jsonb not null,
  at timestamptz not null,
  primary key (project_id, key)
);
create index request_at on request (at);

-- What attempts that have left counted to, so that usage outlives retention.
create table usage_day (
  project_id uuid not null references project,
  day date not null,
  channel text not null,
  outcome text not null,
  attempts bigint not null,
  cost_micros bigint not null,
  primary key (project_id, day, channel, outcome)
);
`;

const verifications = `
create table verification (
  id uuid primary key,
  project_id uuid not null,
  recipient_id uuid references recipient on delete set null,
  address_hash bytea not null,
  phone text,
  phone_prefix text,
  purpose text not null,
  mode text not null check (mode in ('live', 'test')),
  state text not null default 'live' check (state in ('live', 'approved', 'cancelled', 'expired', 'spent')),
  -- Which root key its code derives from; the code itself stands nowhere.
  code_kid text not null,
  code_generation int not null default 0,
  code_length smallint not null check (code_length between 4 and 8),
  checks_used smallint not null default 0,
  checks_max smallint not null,
  check_by_to boolean not null,
  channels text[] not null,
  locale text not null,
  client jsonb,
  metadata jsonb,
  job_id uuid not null,
  sends smallint not null default 1,
  ttl_seconds int not null,
  created_at timestamptz not null,
  sent_at timestamptz not null,
  expires_at timestamptz not null,
  closed_at timestamptz,
  check (checks_used <= checks_max)
) with (fillfactor = 85);
create unique index verification_live on verification (address_hash, project_id, purpose) where state = 'live';
create index verification_address on verification (address_hash, created_at);
create index verification_expiry on verification (expires_at) where state = 'live';
create index verification_closed on verification (closed_at)
  where phone is not null or client is not null or metadata is not null;
create index verification_created on verification (created_at);
-- Erasing a recipient takes it off its verifications.
create index verification_recipient on verification (recipient_id) where recipient_id is not null;
`;

const limits = `
-- One row a project and destination: locked first in every intake batch, so that its limits are exact.
create table destination (
  project_id uuid not null,
  address_hash bytea not null,
  sent_at timestamptz[] not null default '{}',
  failed_checks int not null default 0,
  locked_at timestamptz,
  updated_at timestamptz not null,
  primary key (address_hash, project_id)
) with (fillfactor = 85);
-- Paid messages to one number over all projects: protects the person.
create table paid_destination (
  address_hash bytea primary key,
  paid_at timestamptz[] not null default '{}'
);
create table paid_spend (
  project_id uuid not null,
  day date not null,
  spent_micros bigint not null default 0,
  primary key (project_id, day)
);
create index paid_spend_day on paid_spend (day);
-- Decaying counts of codes sent by SMS and of those that were then verified: what pumped traffic cannot fake.
create table prefix_score (
  project_id uuid not null,
  prefix text not null,
  sent double precision not null default 0,
  verified double precision not null default 0,
  at timestamptz not null,
  primary key (prefix, project_id)
);
`;

const staff = `
create table staff (
  id uuid primary key,
  email text not null unique,
  role text not null check (role in ('admin', 'operator', 'finance', 'developer', 'viewer')),
  password_hash text not null,
  failed_logins int not null default 0,
  locked_until timestamptz,
  disabled_at timestamptz,
  created_at timestamptz not null
);
create table staff_session (
  -- SHA-256 of the cookie's value.
  token_hash bytea primary key,
  staff_id uuid not null references staff on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  staff_id uuid references staff,
  -- Who it was, in words, for rows that a command line wrote.
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb not null default '{}'
);
create index audit_at on audit (at);
`;
