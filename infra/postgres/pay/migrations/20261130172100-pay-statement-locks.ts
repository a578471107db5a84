import { Migration } from '@mikro-orm/migrations';

/**
 * A statement of several calls is one transaction: what the first of them posts locks the book, and a later one would lock batches, rails and
 * dispatches after it. Whoever moves a dispatch locks in the other order, and the two would wait for each other.
 */
export class Migration20261130172100PayStatementLocks extends Migration {
  override up(): void {
    this.addSql(lock);
  }
}

const lock = `
-- What the calls of one statement will settle, in the order of locks of money, before the first of them. left_by: dispatches that a line says
-- are paid, of which those that are paid already are locked by nobody. back_to: of what came back.
create function statement_lock(of_rail text, left_by uuid[], back_to uuid[]) returns void
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s' as $$
declare
  ids uuid[];
begin
  perform ledger_refuse_old_snapshot();
  select array_agg(d.id) into ids from payout_dispatch d
    where d.rail = of_rail and (d.id = any (back_to)
      or d.id = any (left_by) and exists (select from payout_item i where i.dispatch_id = d.id and i.state = 'dispatched'));
  if ids is null then return; end if;
  perform from payout_batch b where b.id in (select x.batch_id from payout_dispatch x where x.id = any (ids)) order by b.id for no key update;
  perform from rail x where x.id in ('all', of_rail) order by x.id for no key update;
  perform from payout_dispatch x where x.id = any (ids) order by x.id for no key update;
end $$;
revoke execute on function statement_lock(text, uuid[], uuid[]) from public`;
