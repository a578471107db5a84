import { Migration } from '@mikro-orm/migrations';

/** Who makes a promo code does not redeem it, and who asked for a price and has left is no second person. */
export class Migration20261130180100EarnOwnPromo extends Migration {
  override up(): void {
    for (const sql of [redeem, end]) this.addSql(sql);
  }
}

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const redeem = `
-- A person redeems a code, however it is written. What they owe is paid of it first. Again: what was redeemed then, and nothing moves. What does
-- not exist, is not agreed to or does not begin yet is unknown alike: whoever guesses must not learn of codes to come. One that has ended or is
-- used up is worth nothing any more, and says so. Who made it, or agreed to it, redeems none of its uses.
--
-- The code is locked, and then read: of fifty at once each sees the uses of those before.
create or replace function promo_redeem(book uuid, of_code text, of_person uuid)
returns table (outcome text, amount bigint, owed bigint, redeemed_at timestamptz)
${definer} as $$
#variable_conflict use_column
declare
  at timestamptz;
  c promo_code%rowtype;
  r promo_redemption%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform from promo_code x where x.project_id = book and x.code = upper(of_code collate "C") for no key update;
  select x.* into c from promo_code x where x.project_id = book and x.code = upper(of_code collate "C");
  at := ledger_clock();
  select x.* into r from promo_redemption x where x.code_id = c.id and x.person_id = of_person;
  if r.code_id is not null then return query select 'repeated', r.amount, r.owed, r.at; return; end if;
  outcome := case
    when exists (select from payout_block x where x.person_id = of_person and x.lifted_at is null and (x.until is null or x.until > at)) then 'blocked'
    when c.id is null or c.state in ('asked', 'withdrawn') or at < c.valid_from then 'promo-unknown'
    when c.state = 'ended' or at >= c.valid_to then 'promo-ended'
    when c.uses >= c.uses_max then 'promo-used-up' end;
  if outcome is not null then return next; return; end if;
  perform earn_refuse_own(who, of_person) from unnest(array[c.asked_by, c.agreed_by]) who;
  update promo_code x set uses = x.uses + 1 where x.id = c.id;
  outcome := 'redeemed'; amount := c.amount; redeemed_at := at;
  owed := promo_post(book, c.id, c.code, of_person, c.amount, at);
  insert into promo_redemption (code_id, person_id, amount, owed, at) values (c.id, of_person, c.amount, owed, at);
  return next;
end $$`;

const end = `
-- Another person agrees, or anybody withdraws it. Who asked for it counts while they count
-- (docs/adr/0034-two-people-who-count.md). Twice at once: the second finds it ended.
create or replace function price_end(book uuid, of_change uuid, by_staff uuid, agrees boolean) returns text
${definer} as $$
#variable_conflict use_column
declare
  c price_change%rowtype;
begin
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  perform pg_advisory_xact_lock(hashtextextended('price:' || book, 0));
  select x.* into c from price_change x where x.id = of_change and x.project_id = book for no key update;
  if c.id is null then return 'unknown-change'; end if;
  if c.state <> 'asked' then return 'change-ended'; end if;
  if agrees and c.asked_by = by_staff then return 'own-change'; end if;
  if agrees and not payout_staff_counts(c.asked_by) then return 'asker-gone'; end if;
  if agrees and c.day <= (ledger_clock() at time zone 'Asia/Tashkent')::date then return 'day-begun'; end if;
  update price_change x set state = case when agrees then 'agreed' else 'withdrawn' end, ended_by = by_staff, ended_at = ledger_clock() where x.id = c.id;
  if agrees then perform price_write(book, c.day, c.tiyin_per_mb, c.asked_by, by_staff); end if;
  return 'set';
end $$`;
