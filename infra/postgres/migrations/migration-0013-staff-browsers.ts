import { Migration } from '@mikro-orm/migrations';

/** Browsers in which somebody logged in wholly: each has its own count of wrong passwords and codes. */
export class Migration0013StaffBrowsers extends Migration {
  override up(): void {
    this.addSql(staffBrowsers);
  }
}

const staffBrowsers = `
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
`;
