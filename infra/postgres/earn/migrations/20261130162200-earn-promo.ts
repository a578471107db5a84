import { Migration } from '@mikro-orm/migrations';

/**
 * Promo codes: who redeems one gets its amount, once, as long as it is valid and has uses left. A large one takes two people.
 *
 * Locks: what staff do to codes of a project one after the other, by an advisory lock; the code; then the book. Redemptions of one code wait
 * for each other, and those of others do not.
 */
export class Migration20261130162200EarnPromo extends Migration {
  override up(): void {
    for (const sql of [codes, redemptions, ...kept, ask, end, redeem, post, tells, noneForPublic])
      this.addSql(sql);
  }
}

/** As in domain/earn/promo/promo.ts. */
const TIYIN_MAX = 100_000_000;
const USES_MAX = 1_000_000;
const ALONE_TIYIN_MAX = 100_000_000;
const LIFE_DAYS_MAX = 366;
/** 10^-6 UZS. */
const MICROS_OF_TIYIN = 10_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const codes = `
create table promo_code (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  -- In capitals, in which any writing of it is looked up. It is a part of keys of the ledger.
  code text not null check (code ~ '^[A-Z0-9]{6,24}$' and code ~ '[A-Z]' and not holds_card_number(code)),
  -- For each who redeems it, in tiyin.
  amount bigint not null check (amount between 1 and ${TIYIN_MAX}),
  uses_max int not null check (uses_max between 1 and ${USES_MAX}),
  uses int not null default 0 check (uses between 0 and uses_max),
  valid_from timestamptz not null,
  valid_to timestamptz not null check (valid_to > valid_from),
  -- asked: another person has to agree; active: redeemed while it is valid; withdrawn: it never was active; ended: by staff, before its time.
  state text not null check (state in ('asked', 'active', 'withdrawn', 'ended')),
  asked_by uuid not null references staff,
  asked_at timestamptz not null,
  -- The second person, where it took one.
  agreed_by uuid references staff check (agreed_by <> asked_by),
  agreed_at timestamptz,
  ended_by uuid references staff,
  ended_at timestamptz,
  unique (project_id, code),
  check ((agreed_by is null) = (agreed_at is null)),
  check ((ended_by is null) = (ended_at is null)),
  check ((state in ('withdrawn', 'ended')) = (ended_at is not null)),
  check (state <> 'asked' or agreed_at is null)
) with (fillfactor = 70);
create index promo_code_of on promo_code (project_id, id);
create index promo_code_asked_by on promo_code (asked_by, asked_at)`;

const redemptions = `
-- A person redeems a code once. Kept as the ledger keeps its transfers: it says who was paid for what.
create table promo_redemption (
  id uuid not null default uuidv7() unique,
  code_id uuid not null references promo_code,
  -- No foreign key on the person, whose row another context may delete.
  person_id uuid not null,
  amount bigint not null check (amount > 0),
  -- Of it, what they owed.
  owed bigint not null check (owed between 0 and amount),
  at timestamptz not null,
  primary key (code_id, person_id)
);
create index promo_redemption_of on promo_redemption (person_id, id)`;

const kept = [
  `
create trigger promo_code_kept before delete or truncate or update of id, project_id, code, amount, uses_max, valid_from, valid_to, asked_by, asked_at
  on promo_code for each statement execute function earn_refuse_change()`,
  `
create trigger promo_redemption_kept before update or delete or truncate on promo_redemption
  for each statement execute function earn_refuse_change()`,
];

const ask = `
-- Makes a code, or asks for a second person where its budget, with those of the codes that this person made alone in the last 24 hours, is above
-- ${ALONE_TIYIN_MAX} tiyin: so one person can't make many small ones. Codes of a project are made one after the other.
create function promo_ask(book uuid, of_code text, of_amount bigint, of_uses int, from_at timestamptz, to_at timestamptz, by_staff uuid)
returns table (outcome text, promo uuid)
${definer} as $$
#variable_conflict use_column
declare
  at constant timestamptz := ledger_clock();
  alone numeric;
  takes_two boolean;
begin
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  perform pg_advisory_xact_lock(hashtextextended('promo:' || book, 0));
  if to_at <= at or from_at >= to_at or to_at > at + interval '${LIFE_DAYS_MAX} days' then return query select 'promo-dates', null::uuid; return; end if;
  if exists (select from promo_code x where x.project_id = book and x.code = upper(of_code collate "C")) then
    return query select 'promo-taken', null::uuid; return;
  end if;
  select coalesce(sum(x.amount::numeric * x.uses_max), 0) into alone from promo_code x
    where x.project_id = book and x.asked_by = by_staff and x.asked_at > at - interval '24 hours' and x.agreed_at is null and x.state in ('active', 'ended');
  takes_two := alone + of_amount::numeric * of_uses > ${ALONE_TIYIN_MAX};
  return query insert into promo_code as x (project_id, code, amount, uses_max, valid_from, valid_to, state, asked_by, asked_at)
    values (book, upper(of_code collate "C"), of_amount, of_uses, from_at, to_at, case when takes_two then 'asked' else 'active' end, by_staff, at)
    returning x.state, x.id;
end $$`;

const end = `
-- Another person agrees to one that is asked for; anybody who may make codes withdraws it, or ends one that is active. Who asked for it counts
-- while they count (docs/adr/0034-two-people-who-count.md). Twice at once: the second finds it as the first has left it.
create function promo_end(book uuid, of_promo uuid, by_staff uuid, agrees boolean) returns text
${definer} as $$
declare
  c promo_code%rowtype;
begin
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  perform pg_advisory_xact_lock(hashtextextended('promo:' || book, 0));
  perform from promo_code x where x.id = of_promo and x.project_id = book for no key update;
  select x.* into c from promo_code x where x.id = of_promo and x.project_id = book;
  if c.id is null then return 'unknown-promo'; end if;
  if not agrees then
    if c.state not in ('asked', 'active') then return c.state; end if;
    update promo_code x set state = case c.state when 'asked' then 'withdrawn' else 'ended' end, ended_by = by_staff, ended_at = ledger_clock() where x.id = c.id;
    return case c.state when 'asked' then 'withdrawn' else 'ended' end;
  end if;
  if c.state <> 'asked' then return 'promo-agreed'; end if;
  if c.asked_by = by_staff then return 'own-promo'; end if;
  if not payout_staff_counts(c.asked_by) then return 'asker-gone'; end if;
  update promo_code x set state = 'active', agreed_by = by_staff, agreed_at = ledger_clock() where x.id = c.id;
  return 'active';
end $$`;

const redeem = `
-- A person redeems a code, however it is written. What they owe is paid of it first. Again: what was redeemed then, and nothing moves. What does
-- not exist, is not agreed to or does not begin yet is unknown alike: whoever guesses must not learn of codes to come. One that has ended or is
-- used up is worth nothing any more, and says so.
--
-- The code is locked, and then read: of fifty at once each sees the uses of those before.
create function promo_redeem(book uuid, of_code text, of_person uuid)
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
  update promo_code x set uses = x.uses + 1 where x.id = c.id;
  outcome := 'redeemed'; amount := c.amount; redeemed_at := at;
  owed := promo_post(book, c.id, c.code, of_person, c.amount, at);
  insert into promo_redemption (code_id, person_id, amount, owed, at) values (c.id, of_person, c.amount, owed, at);
  return next;
end $$`;

const post = `
-- Inner: the promotion, promo:{code}:{person}, and what the person owes out of it, promo-debt:{code}:{person}. Answers that part, in tiyin, rounded
-- down as money is shown. The book is locked before a balance is read.
create function promo_post(book uuid, of_promo uuid, of_code text, of_person uuid, tiyin bigint, at timestamptz) returns bigint
${inner} as $$
declare
  micros constant bigint := tiyin * ${MICROS_OF_TIYIN};
  accounts bigint[]; expense bigint; debt bigint;
  of_it constant text := of_code || ':' || of_person;
begin
  perform from ledger_book b where b.project_id = book for no key update;
  select array_agg(o.account order by o.item) into accounts
    from ledger_open(book, array['available', 'receivable'], array[of_person, of_person], array[null::text, null::text]) o;
  select o.account into expense from ledger_open(book, array['promo'], array[null::uuid], array[null::text]) o;
  select least(micros, -a.balance) into debt from ledger_account a where a.id = accounts[2];
  perform ledger_post_all(book, array['promo:' || of_it], array['promo'], array[expense], array[accounts[1]], array[micros], array[of_promo], array[at],
    array['promo']);
  if debt > 0 then
    perform ledger_post_all(book, array['promo-debt:' || of_it], array['recover'], array[accounts[1]], array[accounts[2]], array[debt], array[of_promo],
      array[at], array['promo']);
  end if;
  return debt / ${MICROS_OF_TIYIN};
end $$`;

const tells = `
create function promo_tells() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  c promo_code%rowtype;
begin
  select x.* into c from promo_code x where x.id = new.code_id;
  if webhook_is_wanted(c.project_id, 'live', 'promo.redeemed', null) then
    perform webhook_emit(c.project_id, 'live', 'promo.redeemed', new.id, new.at, jsonb_build_object(
      'id', new.id, 'promo', c.code, 'recipient_id', (select x.id from recipient x where x.project_id = c.project_id and x.person_id = new.person_id limit 1),
      'amount', new.amount::text, 'owed', new.owed::text, 'redeemed_at', new.at), null, null);
  end if;
  return null;
end $$;
create trigger promo_tells after insert on promo_redemption for each row execute function promo_tells()`;

const noneForPublic = `
revoke execute on function
  promo_ask(uuid, text, bigint, int, timestamptz, timestamptz, uuid), promo_end(uuid, uuid, uuid, boolean), promo_redeem(uuid, text, uuid),
  promo_post(uuid, uuid, text, uuid, bigint, timestamptz), promo_tells()
from public`;
