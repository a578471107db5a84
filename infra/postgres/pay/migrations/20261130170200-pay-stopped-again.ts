import { Migration } from '@mikro-orm/migrations';

/**
 * A rail that is stopped is stopped again, by people and by itself: to what was asked before, perhaps for a lesser reason, nobody agrees any
 * more. Before, a second stop left the time of the first, so that a rail that had paid twice meanwhile was opened as if nothing had happened.
 */
export class Migration20261130170200PayStoppedAgain extends Migration {
  override up(): void {
    for (const sql of [byItself, byPerson]) this.addSql(sql);
  }
}

const byItself = `
-- The newest reason is shown. Its row is locked.
create or replace function dispatch_stop_rail(of_rail text, why text) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  update rail r set stopped_at = ledger_clock(), stopped_by = 'navbat', reason = why where r.id = of_rail;
end $$`;

const byPerson = `
-- One person, at once: whoever waits for the rail's row to claim or to confirm is refused afterwards. Each stop is kept with its reason.
create or replace function rail_stop(of_rail text, staff uuid, why text) returns void
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s' as $$
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'operator', 'admin']);
  perform from rail r where r.id = of_rail for no key update;
  if not found then raise exception 'no such rail' using errcode = 'NB028'; end if;
  update rail r set stopped_at = ledger_clock(), stopped_by = 'staff:' || staff, reason = why where r.id = of_rail;
  insert into payout_action (subject, staff_id, action, reason, at) values (of_rail, staff, 'rail-stop', why, ledger_clock());
end $$`;
