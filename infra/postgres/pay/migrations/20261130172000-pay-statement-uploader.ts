import { Migration } from '@mikro-orm/migrations';

/**
 * The same file from another person is theirs where who uploaded it first counts no more: its bytes are read once, and nobody could ever have
 * agreed to it.
 */
export class Migration20261130172000PayStatementUploader extends Migration {
  override up(): void {
    for (const sql of [kept, open]) this.addSql(sql);
  }
}

const kept = `
drop trigger statement_same on statement;
create trigger statement_same before update of id, project_id, rail, sha256, from_at, to_at, at on statement
  for each statement execute function payout_refuse_change();
create trigger statement_uploader_kept before update of imported_by on statement for each row
  when (old.imported_by is null or new.imported_by is null or payout_staff_counts(old.imported_by) or statement_is_agreed(old.id))
  execute function payout_refuse_change()`;

const open = `
-- The statement of this file where there is one: it becomes that of who sends it now, where nobody has agreed to it and who sent it before
-- counts no more. Else a new one. Locks as statement_begin: two at once are one after the other.
create or replace function statement_open(book uuid, of_rail text, hash bytea, from_time timestamptz, to_time timestamptz, staff uuid) returns uuid
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s' as $$
declare
  s statement%rowtype;
  made uuid;
begin
  -- Nobody asks a bank: what it says, somebody has sent us.
  if of_rail = 'bank-file' and staff is null then raise exception 'a statement of a bank is uploaded by somebody' using errcode = 'NB004'; end if;
  if staff is not null then perform payout_staff_may(staff, array['finance', 'admin']); end if;
  perform pg_advisory_xact_lock(hashtextextended('statement:' || book || ' ' || of_rail, 0));
  select x.* into s from statement x where x.project_id = book and x.rail = of_rail and x.sha256 = hash;
  if s.id is not null then
    if not payout_staff_counts(s.imported_by) and not statement_is_agreed(s.id) then
      update statement x set imported_by = staff where x.id = s.id;
    end if;
    return s.id;
  end if;
  insert into statement (project_id, rail, sha256, from_at, to_at, imported_by, at)
    values (book, of_rail, hash, from_time, to_time, staff, ledger_clock()) returning id into made;
  return made;
end $$`;
