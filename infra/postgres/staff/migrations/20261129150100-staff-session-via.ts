import { Migration } from '@mikro-orm/migrations';

/** A session has a name that may be told, and says how it is shown: by the board's cookie or as a program's bearer token. */
export class Migration20261129150100StaffSessionVia extends Migration {
  override up(): void {
    this.addSql(sessions);
  }
}

const sessions = `
-- Sessions from before are of the board's pages; they end within hours.
alter table staff_session add column id uuid not null default gen_random_uuid();
alter table staff_session add column via text not null default 'cookie' check (via in ('cookie', 'bearer'));
alter table staff_session alter column id drop default;
alter table staff_session alter column via drop default;
alter table staff_session add unique (id);
create index on staff_session (staff_id, id);
`;
