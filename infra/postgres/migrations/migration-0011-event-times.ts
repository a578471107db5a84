import { Migration } from '@mikro-orm/migrations';

/**
 * Times in events read as everywhere in the API: ISO 8601, UTC, milliseconds, `Z`. Postgres writes a time in JSON with
 * microseconds and its session's offset, so that one trigger puts them right for whatever builds an event, today and later. Only
 * members of the event itself: what a project gave us (`metadata`) lies deeper and stays as it was given.
 */
export class Migration0011EventTimes extends Migration {
  override up(): void {
    this.addSql(`
create function webhook_times() returns trigger language plpgsql as $$
begin
  new.data := (
    select coalesce(jsonb_object_agg(key, case
      when value #>> '{}' ~ '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?[+-]\\d{2}(:\\d{2})?$' and jsonb_typeof(value) = 'string'
      then to_jsonb(to_char(date_trunc('milliseconds', (value #>> '{}')::timestamptz) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      else value end), '{}')
    from jsonb_each(new.data));
  return new;
end
$$;
create trigger webhook_times before insert on webhook_event for each row execute function webhook_times();`);
  }
}
