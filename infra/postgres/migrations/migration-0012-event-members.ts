import { Migration } from '@mikro-orm/migrations';

/**
 * By its name, and not by its look: the `data` of a pressed button is what the project wrote there, and stays as it is even where it
 * reads like a time.
 */
export class Migration0012EventMembers extends Migration {
  override up(): void {
    this.addSql(`
create or replace function webhook_times() returns trigger language plpgsql as $$
begin
  new.data := (
    select coalesce(jsonb_object_agg(key, case
      when (key like '%\\_at' or key = 'failing_since') and jsonb_typeof(value) = 'string'
      then to_jsonb(to_char(date_trunc('milliseconds', (value #>> '{}')::timestamptz) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      else value end), '{}')
    from jsonb_each(new.data));
  return new;
end
$$;`);
  }
}
