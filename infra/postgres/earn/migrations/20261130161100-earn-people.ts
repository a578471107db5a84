import { Migration } from '@mikro-orm/migrations';

/**
 * What people who share call themselves, from which country a session began, and what a block by staff stops.
 *
 * Locks of a block: the starts of the person (advisory), their open sessions in the order of their ids, then pay's own.
 */
export class Migration20261130161100EarnPeople extends Migration {
  override up(): void {
    for (const sql of [people, countries, country, indexes, ...blocked, block, unblock, noneForPublic])
      this.addSql(sql);
  }
}

/** As in domain/earn/people/port.ts. */
const NAME_MAX = 80;
/** As in domain/earn/traffic/meter.ts. */
const SESSION_LIFE = '24 hours';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const people = `
-- What a person wants to be called. It leaves with them.
create table earner (
  project_id uuid not null references project,
  person_id uuid not null references person on delete cascade,
  name text not null check (length(name) between 1 and ${NAME_MAX}),
  named_at timestamptz not null,
  primary key (project_id, person_id)
);
create index earner_person on earner (person_id);
-- Found by how it begins.
create index earner_name on earner (project_id, lower(name) text_pattern_ops)`;

const countries = `
-- ISO 3166-1 alpha-2, of the address with which it began; null where nobody knows it.
alter table traffic_session add column country text check (country ~ '^[A-Z]{2}$')`;

const country = `
-- Where a session began: said once, and nothing of it where the person has none of this id, or the files about addresses have no code of a country.
create function traffic_country(book uuid, of_session uuid, of_person uuid, code text) returns void
${definer} as $$
begin
  update traffic_session s set country = code
    where s.id = of_session and s.project_id = book and s.person_id = of_person and s.country is null and code ~ '^[A-Z]{2}$';
end $$`;

const indexes = `
-- What all people shared on a day, closed or not.
create index session_day_on on session_day (project_id, day)`;

const blocked = [
  `
create function traffic_refuse_blocked() returns trigger
${definer} as $$
begin
  if exists (select from payout_block b where b.person_id = new.person_id and b.reason = 'by-staff' and b.lifted_at is null) then
    raise exception 'the person is blocked' using errcode = 'NB046';
  end if;
  return new;
end $$`,
  `
create trigger traffic_session_blocked before insert on traffic_session for each row execute function traffic_refuse_blocked()`,
];

const block = `
-- From now on the person starts no session and withdraws nothing; their open sessions end. What they earned before stays theirs. A start at the same
-- time is first, and its session ends, or it finds the block.
create function earner_block(book uuid, of_person uuid, by_staff uuid, why text) returns text
${definer} as $$
declare
  at constant timestamptz := ledger_clock();
begin
  perform payout_staff_may(by_staff, array['admin']);
  if not exists (select from recipient r where r.project_id = book and r.person_id = of_person) then return 'unknown-person'; end if;
  perform pg_advisory_xact_lock(hashtextextended('traffic:' || of_person, 0));
  perform from traffic_session s where s.project_id = book and s.person_id = of_person and s.ended_at is null order by s.id for no key update;
  perform traffic_end(s.id, least(at, s.started_at + interval '${SESSION_LIFE}'), 'stopped') from traffic_session s
    where s.project_id = book and s.person_id = of_person and s.ended_at is null;
  return case when payout_block_make(of_person, by_staff, why) then 'blocked' else 'already-blocked' end;
end $$`;

const unblock = `
create function earner_unblock(book uuid, of_person uuid, by_staff uuid, why text) returns text
${definer} as $$
begin
  perform payout_staff_may(by_staff, array['admin']);
  if not exists (select from recipient r where r.project_id = book and r.person_id = of_person) then return 'unknown-person'; end if;
  return case when payout_block_lift(of_person, by_staff, why) then 'unblocked' else 'not-blocked' end;
end $$`;

const noneForPublic = `
revoke execute on function
  traffic_country(uuid, uuid, uuid, text), traffic_refuse_blocked(), earner_block(uuid, uuid, uuid, text), earner_unblock(uuid, uuid, uuid, text)
from public`;
