import { Migration } from '@mikro-orm/migrations';

/**
 * Announcements, and how far each was told. The role that runs writes them; what is published stays as it is.
 *
 * Locks: the announcement alone. Whoever tells people of it holds it meanwhile.
 */
export class Migration20261130162100EarnNews extends Migration {
  override up(): void {
    for (const sql of [announcements, kept, noneForPublic]) this.addSql(sql);
  }
}

const announcements = `
create table announcement (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  state text not null default 'draft' check (state in ('draft', 'published')),
  -- By language: {"uz": {"title": …, "text": …}}.
  words jsonb not null check (coalesce(words -> 'uz', words -> 'ru', words -> 'en') is not null),
  -- Of the project's message_categories.
  category text not null check (length(category) between 1 and 32),
  -- Counts what staff changed.
  version int not null default 1,
  made_by uuid not null references staff,
  made_at timestamptz not null,
  published_by uuid references staff,
  published_at timestamptz,
  -- The last recipient that was handed to what tells people, and how many were.
  told_after uuid,
  told int not null default 0,
  -- When all of them were.
  told_at timestamptz,
  check ((state = 'published') = (published_at is not null)),
  check ((published_at is null) = (published_by is null)),
  check (state = 'published' or (told_at is null and told_after is null))
);
create index announcement_of on announcement (project_id, id);
create index announcement_published on announcement (project_id, published_at, id) where state = 'published';
create index announcement_to_tell on announcement (project_id, published_at) where state = 'published' and told_at is null`;

const kept = `
create function announcement_kept() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  raise exception '% on announcement: what was published stays as people have read it', lower(tg_op) using errcode = 'NB009';
end $$;
create trigger announcement_kept before update of id, project_id, state, words, category, published_by, published_at on announcement for each row
  when (old.state = 'published') execute function announcement_kept();
create trigger announcement_not_deleted before delete or truncate on announcement for each statement execute function announcement_kept()`;

const noneForPublic = `revoke execute on function announcement_kept() from public`;
