import { Migration } from '@mikro-orm/migrations';

/**
 * Look-ups that stay as fast in the middle of a batch as at its beginning. An index of the few rows in a passing state seems empty to the
 * planner until the table is analysed again: it read all of it where one row was asked for (measured: 1 600 entries a claimed payment).
 * An index of all rows never seems so. And an account is found by its owner, among however many there are.
 */
export class Migration20261129200000PayLookUps extends Migration {
  override up(): void {
    for (const sql of [items, open]) this.addSql(sql);
  }
}

const items = `
drop index payout_item_ready, payout_item_dispatched, payout_item_dispatch;
-- What of a batch is ready, in its order; and whether anything of it is under way.
create index payout_item_state on payout_item (batch_id, state, n);
create index payout_item_dispatch on payout_item (dispatch_id)`;

/** By the index for both: "is not distinct from" an owner is no condition of an index, and read all accounts of the class. */
const account = `lateral (
      select a.id from ledger_account a
      where a.project_id = book and a.class = w.class and a.owner = w.owner and a.rail is not distinct from w.rail
      union all
      select a.id from ledger_account a
      where a.project_id = book and a.class = w.class and a.owner is null and w.owner is null and a.rail is not distinct from w.rail
      limit 1)`;

const open = `
-- The accounts of these classes, owners and rails, made where they are missing; answers in the order of the items.
create or replace function ledger_open(book uuid, classes text[], owners uuid[], rails text[])
returns table (item int, account bigint)
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  dims constant text := array_dims(classes);
begin
  perform ledger_refuse_old_snapshot();
  if coalesce(cardinality(classes), 0) = 0 then return; end if;
  if cardinality(classes) > 1000 or dims is distinct from '[1:' || cardinality(classes) || ']'
     or dims is distinct from array_dims(owners) or dims is distinct from array_dims(rails) then
    raise exception 'not a list of accounts' using errcode = 'NB004';
  end if;
  if exists (
    select from unnest(classes, owners, rails) w(class, owner, rail) left join ledger_class c on c.class = w.class
    where c.class is null or (w.owner is not null) <> (c.owned_by in ('person', 'project')) or (w.rail is not null) <> (c.owned_by = 'rail')
  ) then
    raise exception 'no such class of account, or not of such an owner' using errcode = 'NB003';
  end if;
  if exists (
    select from unnest(classes, owners, rails) w(class, owner, rail) left join ${account} a on true where a.id is null
  ) then
    -- The same lock as of a post: one that opens and one that posts never wait for each other.
    perform from ledger_book b where b.project_id = book for no key update;
    if not found then raise exception 'no such book' using errcode = 'NB003'; end if;
    insert into ledger_account (project_id, class, owner, rail, floor, ceiling)
      select distinct book, w.class, w.owner, w.rail, c.floor, c.ceiling
      from unnest(classes, owners, rails) w(class, owner, rail) join ledger_class c on c.class = w.class
      on conflict do nothing;
  end if;
  return query
    select w.i::int, a.id
    from unnest(classes, owners, rails) with ordinality w(class, owner, rail, i) cross join ${account} a
    order by w.i;
end $$`;
