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
  add totp_last_step bigint,
  add totp_bound_at timestamptz;
-- Each opens one login without the second factor.
create table staff_recovery_code (
  staff_id uuid not null references staff on delete cascade,
  -- HMAC-SHA256 under PEPPER.
  code_hash bytea not null,
  used_at timestamptz,
  primary key (staff_id, code_hash)
);
-- Until then a session has shown a password only, and reaches nothing but the second factor's page.
alter table staff_session add second_factor_at timestamptz;
`;
