import { Migration } from '@mikro-orm/migrations';

/** Nobody decides about the money of a card that they have bound under another name, either: asked as of payments. */
export class Migration20261130170400EarnOwnCard extends Migration {
  override up(): void {
    this.addSql(own);
  }
}

const own = `
create or replace function earn_refuse_own(of_staff uuid, of_person uuid) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if payout_owns(array[of_staff], of_person) then
    raise exception 'it is the money of one who handles it' using errcode = 'NB025';
  end if;
end $$`;
