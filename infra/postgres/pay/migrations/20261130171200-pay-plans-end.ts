import { Migration } from '@mikro-orm/migrations';

/**
 * A plan that ends with its planner says so, as each other plan that ends (docs/adr/0034-two-people-who-count.md); and who asks to go on with
 * a batch whose rest was cancelled is told that, and not that it is in another state.
 */
export class Migration20261130171200PayPlansEnd extends Migration {
  override up(): void {
    for (const sql of [runDue, cancelled]) this.addSql(sql);
  }
}

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const runDue = `
-- Starts what was planned, in the name of who planned it. A batch of a rail by which none begins now (payout_run_blocked) stays planned, and
-- takes no other's place. The plan ends where its planner may not run any more, where an approval counts no more, and where its rows are not
-- those that were approved; each is written down with its reason. Two at once take different batches; nothing starts twice.
create or replace function batch_run_due(most int) returns setof uuid
${definer} as $$
declare
  due uuid[];
  of_one uuid;
  b payout_batch%rowtype;
  planner uuid;
begin
  perform ledger_refuse_old_snapshot();
  with found as (
    select x.id from payout_batch x
    where x.state = 'approved' and x.run_at <= navbat_now() and payout_run_blocked(x.project_id, x.rail) is null
    order by x.id limit most for no key update of x skip locked)
  select array_agg(f.id) into due from found f;
  foreach of_one in array coalesce(due, '{}') loop
    select x.* into b from payout_batch x where x.id = of_one;
    select a.staff_id into planner from payout_action a where a.batch_id = b.id and a.action = 'plan' order by a.version desc limit 1;
    if not exists (select from staff s where s.id = planner and s.disabled_at is null and s.role = 'finance') then
      update payout_batch x set run_at = null, version = x.version + 1 where x.id = b.id;
      perform payout_batch_end(b, planner, 'plan-ended', 'who planned it may not run it any more: another person runs it');
      continue;
    end if;
    begin
      perform payout_batch_refuse_unapproved(b);
      perform payout_batch_refuse_changed(b);
      update payout_batch x set state = 'running', run_at = null, started_at = ledger_clock(), version = x.version + 1 where x.id = b.id;
      perform payout_batch_end(b, planner, 'run', 'as planned');
      return next b.id;
    exception
      -- A difference was found since the look above.
      when sqlstate 'NB031' then null;
      when sqlstate 'NB024' then
        update payout_batch x set run_at = null, version = x.version + 1 where x.id = b.id;
        perform payout_batch_end(b, planner, 'plan-ended', 'its rows are not those that were approved');
      when sqlstate 'NB034' then
        update payout_batch x set run_at = null, version = x.version + 1 where x.id = b.id;
        perform payout_batch_end(b, planner, 'plan-ended', 'an approval counts no more: another person approves');
    end;
  end loop;
end $$`;

const cancelled = `
-- Raises where its rest was cancelled: nothing of it goes on.
create or replace function payout_batch_refuse_cancelled(b payout_batch) returns void
${inner} as $$
begin
  if exists (select from payout_action a where a.batch_id = b.id and a.action = 'cancel-rest') then
    raise exception 'its rest was cancelled' using errcode = 'NB027', detail = 'rest-cancelled';
  end if;
end $$`;
