import { Migration } from '@mikro-orm/migrations';

/** Whoever made a key stands behind what it asks for: they approve no batch that pays it. */
export class Migration20261129194400PayKeyMakers extends Migration {
  override up(): void {
    this.addSql(makers);
  }
}

const makers = `
-- Whoever had a hand in what it pays: by an action on it, by importing a list of which it has a line, by asking for a payout in it, by making
-- the key that asked for one.
create or replace function payout_batch_makers(batch uuid) returns setof uuid
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select a.staff_id from payout_action a where a.batch_id = batch and a.action in ('create', 'add', 'drop', 'import', 'submit', 'withdraw')
  union
  select l.imported_by from payout_list l where l.id in (
    select p.list_id from payout_item i join payout p on p.id = i.payout_id where i.batch_id = batch and i.state <> 'dropped')
  union
  select substr(p.asked_by, 7)::uuid from payout_item i join payout p on p.id = i.payout_id
   where i.batch_id = batch and i.state <> 'dropped' and p.asked_by like 'staff:%'
  union
  select k.created_by from api_key k where k.created_by is not null and k.id in (
    select substr(p.asked_by, 5)::uuid from payout_item i join payout p on p.id = i.payout_id
     where i.batch_id = batch and i.state <> 'dropped' and p.asked_by like 'key:%') $$`;
