import { Migration } from '@mikro-orm/migrations';

/** A second factor for all staff, and codes for who lost theirs. */
export class Migration0006StaffSecondFactor extends Migration {
  override up(): void {
    this.addSql(secondFactor);
  }
}

const secondFactor = `
alter table staff
  -- 160 bits, sealed and bound to the id; null until they set it up at their first login.
  add totp_sealed bytea,
  -- The step of the last code that was taken: no code of it, or of an older one, is taken again.
  add totp_last_step bigint,
  add totp_bound_at timestamptz,
  -- Wrong ones in a row, whatever the lock forgets meanwhile.
  add second_factor_failures int not null default 0,
  add check ((totp_sealed is null) = (totp_bound_at is null)),
  add check ((totp_sealed is null) = (totp_last_step is null));
-- Each opens one login without the authenticator.
create table staff_recovery_code (
  staff_id uuid not null references staff on delete cascade,
  -- HMAC-SHA256 under PEPPER.
  code_hash bytea not null,
  used_at timestamptz,
  primary key (staff_id, code_hash)
);
alter table staff_session
  -- Until then a session has shown a password only, and reaches nothing but the second factor's page.
  add second_factor_at timestamptz,
  -- The secret that this session offers to set up, sealed and bound to the staff id. It stands here and not on the account:
  -- whoever began a set-up with the password must not know the secret that its owner ends with.
  add totp_offer_sealed bytea;
`;
