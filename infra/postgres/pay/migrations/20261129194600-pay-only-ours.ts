import { Migration } from '@mikro-orm/migrations';

/** A payment of a bank's file that people have settled as paid is ours alone until its line comes. */
export class Migration20261129194600PayOnlyOurs extends Migration {
  override up(): void {
    this.addSql(onlyOurs);
  }
}

/** A rail of cards tells of a payment within the hour; a bank within the next working days. */
const ONLY_OURS_AFTER = `case d.rail when 'multicard' then interval '24 hours' else interval '72 hours' end`;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const onlyOurs = `
-- Payments that we know to be paid, or gave to a bank, and that no statement has yet. Answers how many are new.
create or replace function difference_find_only_ours(book uuid, most int) returns int
${definer} as $$
declare
  o record;
  found_now int := 0;
begin
  perform ledger_refuse_old_snapshot();
  for o in
    select d.rail, d.id dispatch, i.payout_id payout, i.net + case d.items when 1 then d.commission else 0 end total
    from payout_dispatch d join payout_item i on i.dispatch_id = d.id
    where d.project_id = book
      -- Of a file, what people have settled as paid, too.
      and (d.state = 'paid' and i.state = 'paid' or d.state = 'exported' and i.state in ('dispatched', 'paid'))
      and d.state_at < ledger_clock() - ${ONLY_OURS_AFTER}
      and not exists (select from statement_line l where l.dispatch_id = d.id and l.payout_id = i.payout_id and l.direction = 'out')
      and not exists (select from difference x where x.project_id = book and x.rail = d.rail and x.bucket = 'only-ours' and x.subject = i.payout_id::text)
    order by d.id, i.n limit most
  loop
    perform difference_found(book, o.rail, 'only-ours', o.payout::text, o.total, null, o.dispatch, o.payout, null);
    found_now := found_now + 1;
  end loop;
  return found_now;
end $$`;
