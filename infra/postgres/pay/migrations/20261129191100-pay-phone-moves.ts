import { Migration } from '@mikro-orm/migrations';

/**
 * The second hook on identity's `person_phone`, beside `payout_block_lost_phone`: numbers are given to other people. What was bound, or may
 * still be, by who had the number is not for who has it now.
 */
export class Migration20261129191100PayPhoneMoves extends Migration {
  override up(): void {
    for (const sql of [movedPhone, noneForPublic]) this.addSql(sql);
  }
}

const movedPhone = `
-- Links end before cards are looked for: a card that is being bound by one waits for the link, or is seen here. Accounts that a list names are
-- not looked up by the phone, and stay. People of test keys have phones of their own, whatever the number.
create function payout_leave_phone() returns trigger
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
  now_at constant timestamptz := ledger_clock();
begin
  if exists (select from person x where x.id = old.person_id and x.mode = 'test') then return null; end if;
  update payout_link l set revoked_at = now_at from payout p
    where p.id = l.payout_id and p.phone = old.phone and p.state = 'awaiting-card' and l.used_at is null and l.revoked_at is null;
  update payout_destination d set removed_at = now_at where d.phone = old.phone and d.rail = 'multicard' and d.removed_at is null;
  return null;
end $$;
create trigger payout_moved_phone after update of person_id, phone on person_phone for each row
  when (old.person_id is distinct from new.person_id or old.phone is distinct from new.phone)
  execute function payout_leave_phone();
create trigger payout_deleted_phone after delete on person_phone for each row execute function payout_leave_phone()`;

const noneForPublic = `revoke execute on function payout_leave_phone() from public`;
