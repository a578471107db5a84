import { Migration } from '@mikro-orm/migrations';

/** Projects with their keys, names, counted rows and usage. */
export class Migration20261129100100ProjectBaseline extends Migration {
  override up(): void {
    this.addSql(clock);
    this.addSql(projects);
    this.addSql(rows);
    this.addSql(platform);
  }
}

/**
 * The time by which SQL decides. Only the migrating role, which owns it, can replace it: by one that adds an offset, so that a test or a
 * sandbox looks ahead. SQL of one line, so that Postgres inlines it and an index serves a comparison with it.
 */
const clock = `
create function navbat_now() returns timestamptz language sql stable as $$ select now() $$;
`;

const projects = `
create table project (
  id uuid primary key,
  slug text not null unique,
  settings jsonb not null default '{}',
  -- What only staff raise.
  ceilings jsonb not null default '{}',
  created_at timestamptz not null,
  archived_at timestamptz
);
create table api_key (
  id uuid primary key,
  project_id uuid not null references project,
  name text,
  access text not null check (access in ('secret', 'publishable')),
  mode text not null check (mode in ('live', 'test')),
  -- HMAC-SHA256 of the key under PEPPER: a dump of this table opens nothing.
  hash bytea not null unique,
  -- The last four characters, so that a person can tell two keys apart.
  hint text not null,
  scopes text[] not null,
  -- The web origins whose pages may call with a publishable key; none at first.
  allowed_origins text[] not null default '{}',
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
create index api_key_project on api_key (project_id);
-- What each project's names look like, so that no other takes one that a person would mistake for it.
create table project_name (
  skeleton text primary key,
  project_id uuid not null references project
);
create index project_name_project on project_name (project_id);
-- What attempts that were deleted counted to, so that usage outlives retention.
create table usage_day (
  project_id uuid not null references project,
  day date not null,
  channel text not null,
  outcome text not null,
  attempts bigint not null,
  cost_micros bigint not null,
  primary key (project_id, day, channel, outcome)
);
`;

const rows = `
create table project_rows (
  project_id uuid not null,
  what text not null check (what in ('queued', 'live', 'test', 'people')),
  n bigint not null,
  primary key (project_id, what)
);
-- Written beside what it counts, and added to project_rows by the reconciler: nobody waits for a row that others count in, and
-- two transactions that count in several projects can't wait for each other.
create table project_rows_change (
  project_id uuid not null,
  what text not null,
  n int not null
);
create index project_rows_change_project on project_rows_change (project_id);
`;

/** Navbat as its own customer. Its id is `PLATFORM_PROJECT_ID`; it has no customer to bound. */
const platform = `
insert into project (id, slug, settings, ceilings, created_at)
values ('01990000-0000-7000-8000-000000000001', 'navbat', '{"display_name": "Navbat"}',
  '{"sms_daily_budget_micros": 1000000000, "rows_queued": 10000000, "rows_kept": 100000000, "people": 100000000}', now());
insert into project_name (skeleton, project_id) values ('navbat', '01990000-0000-7000-8000-000000000001');
`;
