import { Migration } from '@mikro-orm/migrations';

/** Staff: accounts with their second factor, sessions, and the audit. */
export class Migration20261129100500StaffBaseline extends Migration {
  override up(): void {
    this.addSql(staff);
  }
}

const staff = `
create table staff (
  id uuid primary key,
  email text not null unique,
  role text not null check (role in ('admin', 'operator', 'finance', 'developer', 'viewer')),
  password_hash text not null,
  failed_logins int not null default 0,
  locked_until timestamptz,
  -- 160 bits, encrypted and bound to the id; null until they set it up at their first login.
  totp_encrypted bytea,
  -- The step of the last code that was taken: no code of it, or of an older one, is taken again.
  totp_last_step bigint,
  totp_bound_at timestamptz,
  -- Wrong ones in a row, whatever the lock forgets.
  second_factor_failures int not null default 0,
  disabled_at timestamptz,
  created_at timestamptz not null,
  check ((totp_encrypted is null) = (totp_bound_at is null)),
  check ((totp_encrypted is null) = (totp_last_step is null))
);
-- Each opens one login without the authenticator.
create table staff_recovery_code (
  staff_id uuid not null references staff on delete cascade,
  -- HMAC-SHA256 under PEPPER.
  code_hash bytea not null,
  used_at timestamptz,
  primary key (staff_id, code_hash)
);
create table staff_session (
  -- SHA-256 of the cookie's value.
  token_hash bytea primary key,
  staff_id uuid not null references staff on delete cascade,
  -- Until then a session has shown a password only, and reaches nothing but the second factor's page.
  second_factor_at timestamptz,
  -- The secret that this session offers to set up, encrypted and bound to the staff id. It is kept here and not on the account:
  -- whoever began a set-up with the password must not know the secret that its owner ends with.
  totp_offer_encrypted bytea,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
-- Browsers in which somebody completed a login: each has its own count of wrong passwords and codes.
create table staff_browser (
  -- SHA-256 of what its cookie holds.
  token_hash bytea primary key,
  staff_id uuid not null references staff on delete cascade,
  -- As on staff, where everybody else is counted.
  failed_logins int not null default 0,
  locked_until timestamptz,
  second_factor_failures int not null default 0,
  -- The last whole login.
  used_at timestamptz not null
);
create index on staff_browser (staff_id, used_at);
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
