import { Migration } from '@mikro-orm/migrations';

/** The audit is only ever added to: grants hold the role that runs, this holds the owner of the table. */
export class Migration20261129150000StaffAuditKept extends Migration {
  override up(): void {
    this.addSql(kept);
  }
}

const kept = `
create function audit_is_kept() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  raise exception '% on audit: what was done stays written', lower(tg_op) using errcode = 'NB009';
end $$;
create trigger audit_is_kept before update or delete or truncate on audit for each statement execute function audit_is_kept();
`;
