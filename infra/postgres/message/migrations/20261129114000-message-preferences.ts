import { Migration } from '@mikro-orm/migrations';

/** What people want of a project's messages, the category of each message, and the event that tells of a change. */
export class Migration20261129114000MessagePreferences extends Migration {
  override up(): void {
    this.addSql(categories);
    this.addSql(preferences);
    this.addSql(outcomes);
    this.addSql(changes);
  }
}

const categories = `
-- Null: written before there were categories, or what Navbat itself tells a person of their account; no preference holds it back.
alter table broadcast add column category text;
alter table broadcast add column critical boolean not null default false;
-- The button that switches the category off, in each language; null where the project asks for none.
alter table broadcast add column stop_labels jsonb;
alter table broadcast add constraint broadcast_critical_category check (not critical or category is not null);
`;

const preferences = `
create table message_preference (
  -- Leaves with its recipient.
  recipient_id uuid primary key references recipient on delete cascade,
  project_id uuid not null references project,
  -- Since when the person wants nothing at all.
  opted_out_at timestamptz,
  -- Those that were declared when they were switched off; a project has 20 at a time.
  categories_off text[] not null default '{}' check (cardinality(categories_off) <= 200),
  -- Minutes of the local day, over midnight where the second is smaller.
  quiet_from smallint check (quiet_from between 0 and 1439),
  quiet_to smallint check (quiet_to between 0 and 1439),
  time_zone text,
  -- Of the person's link: the one before it opens nothing any more.
  link_version int not null default 0 check (link_version >= 0),
  -- Null until something was changed.
  changed_by text check (changed_by in ('project', 'page', 'one-click', 'bot')),
  changed_at timestamptz,
  check (num_nulls(quiet_from, quiet_to) = 2 or num_nulls(quiet_from, quiet_to) = 0 and quiet_from <> quiet_to)
);
create index message_preference_project on message_preference (project_id, recipient_id);
`;

/** As before, and whoever switched messages off is blocked too: they will not take the next one either. */
const outcomes = `
create or replace function message_outcome(state text, reason text) returns text language sql immutable as $$
  select case state when 'completed' then 'sent' when 'cancelled' then 'cancelled'
    when 'rejected' then case when reason in ('bot-blocked', 'bot-kicked', 'bot-not-started', 'user-deactivated', 'chat-not-found',
      'chat-upgraded', 'token-unregistered', 'opted-out', 'recipient-opted-out', 'category-off') then 'blocked' else 'failed' end
    else 'failed' end
$$;
`;

const changes = `
create function webhook_on_preferences() returns trigger language plpgsql as $$
begin
  if webhook_is_wanted(new.project_id, 'live', 'preferences.changed', null) then
    perform webhook_emit(new.project_id, 'live', 'preferences.changed', new.recipient_id, new.changed_at,
      jsonb_build_object('recipient_id', new.recipient_id, 'opted_out', new.opted_out_at is not null,
        'categories_off', to_jsonb(new.categories_off),
        'quiet_hours', case when new.quiet_from is not null then jsonb_build_object(
          'from', to_char(make_time(new.quiet_from / 60, new.quiet_from % 60, 0), 'HH24:MI'),
          'to', to_char(make_time(new.quiet_to / 60, new.quiet_to % 60, 0), 'HH24:MI')) end,
        'time_zone', new.time_zone, 'changed_by', new.changed_by, 'changed_at', new.changed_at), null, null);
  end if;
  return null;
end
$$;
create trigger webhook_on_preferences after update on message_preference for each row
  when ((old.opted_out_at, old.categories_off, old.quiet_from, old.quiet_to, old.time_zone)
    is distinct from (new.opted_out_at, new.categories_off, new.quiet_from, new.quiet_to, new.time_zone))
  execute function webhook_on_preferences();
`;
