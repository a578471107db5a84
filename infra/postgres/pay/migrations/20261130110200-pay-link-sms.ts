import { Migration } from '@mikro-orm/migrations';

/**
 * SMS of payout links cost money, and stand in no budget of codes: how many payees a project's links go to by SMS in a day has an end
 * (docs/adr/0030-lists-and-links.md).
 *
 * Locks: the link, then the project's day.
 */
export class Migration20261130110200PayLinkSms extends Migration {
  override up(): void {
    for (const sql of [days, take, noneForPublic]) this.addSql(sql);
  }
}

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const days = `
-- How many links of a project's payouts went to SMS in a day of Asia/Tashkent.
create table payout_link_sms_day (
  funder uuid not null,
  day date not null,
  links int not null check (links > 0),
  primary key (funder, day)
);
create trigger payout_link_sms_day_kept before delete or truncate or update of funder, day on payout_link_sms_day
  for each statement execute function payout_refuse_change();
-- On which day it was counted last; null: it went to no SMS.
alter table payout_link add column sms_day date`;

const take = `
-- Whether the link of this job may go by SMS today, of which it is counted once, however often it is tried: false where its project has had
-- as many. Two at once wait for the row of the day.
create or replace function payout_link_sms_take(job uuid, most int) returns boolean
${definer} as $$
declare
  today constant date := (ledger_clock() at time zone 'Asia/Tashkent')::date;
  l payout_link%rowtype;
  of_funder uuid;
begin
  select x.* into l from payout_link x where x.job_id = job for no key update;
  if l.sms_day = today then return true; end if;
  select p.funder into of_funder from payout p where p.id = l.payout_id;
  if of_funder is null then return false; end if;
  insert into payout_link_sms_day as d (funder, day, links) values (of_funder, today, 1)
    on conflict (funder, day) do update set links = d.links + 1 where d.links < most;
  if not found then return false; end if;
  update payout_link x set sms_day = today where x.id = l.id;
  return true;
end $$`;

const noneForPublic = `
revoke execute on function payout_link_sms_take(uuid, int) from public`;
