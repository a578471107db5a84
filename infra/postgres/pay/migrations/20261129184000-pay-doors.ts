import { Migration } from '@mikro-orm/migrations';

/**
 * What customers and finance ask over HTTP beside withdrawals and batches: payouts by a key, with its limit of the day and the events
 * that tell of them; and corrections of the ledger, which two people make (docs/adr/0032-doors-to-paying.md).
 *
 * Locks: the payees by the order of their hashes, the payouts, the book, the key's day; of a correction its row, then the book.
 */
export class Migration20261129184000PayDoors extends Migration {
  override up(): void {
    for (const sql of [
      lines,
      keyDays,
      askByKey,
      cancelByKey,
      tells,
      corrections,
      ...kept,
      ask,
      agree,
      withdraw,
      bindings,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

/** What one call asks for: some seconds of the book, which everybody waits for. */
const ASKED_MAX = 500;
/** As in `20261129180200-pay-batches.ts`. */
const APPROVER_AGE = '24 hours';
/** 10^18 micros, as a transfer moves at most. */
const TIYIN_MAX = '100000000000000';
const MICROS = 10_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const lines = `
-- Beside payout_item_once, so that every line of a payout is found.
create index payout_item_over on payout_item (payout_id) where state in ('dropped', 'failed')`;

const keyDays = `
-- What a key has asked for in a day of Asia/Tashkent, in tiyin. Cancelled and failed ones count: a key that is stolen asks for so much and no more.
create table payout_key_day (
  key_id uuid not null,
  day date not null,
  asked bigint not null check (asked > 0),
  primary key (key_id, day)
);
create trigger payout_key_day_kept before delete or truncate or update of key_id, day on payout_key_day
  for each statement execute function payout_refuse_change()`;

const askByKey = `
-- Payouts of a project by one of its keys, all or none, in the order given. A reference that stands for the same payout is answered with it.
-- Where the payee has a card in use (destinations), it is bound at once; else the payout waits for one.
--
-- All payees are locked first, in one order: two calls with the same payees wait for each other once, and never in a circle.
create function payout_ask_by_key(
  book uuid, of_funder uuid, of_key uuid, day_max bigint, phones text[], payees text[], purposes text[], refs text[], amounts bigint[],
  destinations uuid[], scores smallint[])
returns table (place int, id uuid, state text, version int, repeated boolean)
${definer} as $$
#variable_conflict use_column
declare
  items constant int := coalesce(cardinality(phones), 0);
  today constant date := (ledger_clock() at time zone 'Asia/Tashkent')::date;
  asker constant text := 'key:' || of_key;
  made record;
  bound record;
  fresh bigint := 0;
  so_far bigint;
begin
  perform ledger_refuse_old_snapshot();
  if items not between 1 and ${ASKED_MAX} or exists (
       select from (values (cardinality(payees)), (cardinality(purposes)), (cardinality(refs)), (cardinality(amounts)), (cardinality(destinations)), (cardinality(scores))) n(n)
       where n.n is distinct from items) then
    raise exception 'not a list of payouts' using errcode = 'NB004';
  end if;
  perform pg_advisory_xact_lock(h.hash) from (
    select distinct hashtextextended('payee:' || p.phone, 0) as hash from unnest(phones) p(phone) order by 1) h;
  for i in 1 .. items loop
    select a.id, a.state, a.version, a.repeated into made
      from payout_ask(book, 'api', of_funder, null, phones[i], payees[i], purposes[i], refs[i], null, 'multicard', amounts[i], 0, asker) a;
    if not made.repeated then
      fresh := fresh + amounts[i];
      if destinations[i] is not null then
        select b.state, b.version into bound from payout_bind(made.id, destinations[i], scores[i]) b;
        made.state := bound.state;
        made.version := bound.version;
      end if;
    end if;
    place := i; id := made.id; state := made.state; version := made.version; repeated := made.repeated;
    return next;
  end loop;
  if fresh > 0 then
    insert into payout_key_day as d (key_id, day, asked) values (of_key, today, fresh)
      on conflict (key_id, day) do update set asked = d.asked + excluded.asked returning d.asked into so_far;
    if so_far > day_max then
      raise exception 'the key has asked for enough today' using errcode = 'NB011', detail = 'key-day-limit';
    end if;
  end if;
end $$`;

const cancelByKey = `
-- Of the project that the key is of, and of no other.
create function payout_cancel_by_key(payout uuid, of_funder uuid, of_key uuid) returns table (state text, version int)
${definer} as $$
#variable_conflict use_column
begin
  perform ledger_refuse_old_snapshot();
  if not exists (select from payout p where p.id = payout_cancel_by_key.payout and p.source = 'api' and p.funder = of_funder) then
    raise exception 'no such payout' using errcode = 'NB028';
  end if;
  return query select c.state, c.version from payout_cancel(payout, null, 'by-key', 'key:' || of_key) c;
end $$`;

const tells = `
-- The project hears of the end of what its keys asked for. No card, no token, no whole number of a phone.
create function payout_tells() returns trigger
${definer} as $$
declare
  told constant text := 'payout.' || new.state;
begin
  if webhook_is_wanted(new.funder, 'live', told, null) then
    perform webhook_emit(new.funder, 'live', told, new.id, navbat_now(), jsonb_build_object(
      'id', new.id, 'reference', new.reference, 'state', new.state, 'reason', new.reason, 'amount', new.gross::text, 'fee', new.fee::text,
      'purpose', new.purpose, 'to', left(new.phone, 4) || repeat('•', length(new.phone) - 6) || right(new.phone, 2),
      'created_at', new.created_at, 'ended_at', navbat_now()), null, null);
  end if;
  return null;
end $$;
create trigger payout_tells after update of state on payout for each row
  when (new.source = 'api' and new.state <> old.state and new.state in ('paid', 'failed', 'returned', 'cancelled'))
  execute function payout_tells()`;

const corrections = `
-- What two people do to the ledger by hand: one asks, another agrees with a proof. It says which account, by class and owner.
create table money_correction (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  what text not null check (what in ('top-up', 'wallet-top-up', 'adjust-up', 'adjust-down', 'write-off')),
  class money_text not null references ledger_class,
  owner uuid,
  rail money_text check (rail in ('multicard', 'bank-file')),
  amount bigint not null check (amount between 1 and ${TIYIN_MAX}),
  reason text not null check (length(reason) between 1 and 500 and not holds_card_number(reason)),
  state text not null default 'asked' check (state in ('asked', 'agreed', 'withdrawn')),
  version int not null default 1,
  asked_by uuid not null references staff,
  asked_at timestamptz not null,
  ended_by uuid references staff,
  ended_at timestamptz,
  -- Its transfer in the book.
  n bigint,
  check ((what, class) in (
    ('top-up', 'funded'), ('wallet-top-up', 'wallet'), ('write-off', 'receivable'), ('adjust-up', 'available'), ('adjust-up', 'funded'),
    ('adjust-down', 'available'), ('adjust-down', 'funded'))),
  check ((class = 'wallet') = (rail is not null)),
  check ((class = 'wallet') = (owner is null)),
  check ((state = 'asked') = (ended_by is null)),
  check ((state = 'asked') = (ended_at is null)),
  check ((state = 'agreed') = (n is not null)),
  -- Four eyes.
  check (state <> 'agreed' or ended_by <> asked_by)
);
create index money_correction_asked on money_correction (id) where state = 'asked'`;

const kept = [
  `
create trigger money_correction_kept before delete or truncate or update of id, project_id, what, class, owner, rail, amount, reason, asked_by, asked_at
  on money_correction for each statement execute function payout_refuse_change()`,
  `
create trigger money_correction_ends_once before update on money_correction for each row
  when (old.state <> 'asked') execute function payout_refuse_change()`,
];

const ask = `
create function money_correction_ask(book uuid, of_what text, of_class text, of_owner uuid, of_rail text, of_amount bigint, why text, staff uuid)
returns table (id uuid, state text, version int)
${definer} as $$
#variable_conflict use_column
declare
  made money_correction%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance']);
  if of_class = 'funded' and not exists (select from project p where p.id = of_owner)
     or of_class in ('available', 'receivable') and not exists (select from person p where p.id = of_owner) then
    raise exception 'no such owner of an account' using errcode = 'NB003';
  end if;
  insert into money_correction (project_id, what, class, owner, rail, amount, reason, asked_by, asked_at)
    values (book, of_what, of_class, of_owner, of_rail, of_amount, why, staff, ledger_clock()) returning * into made;
  insert into payout_action (subject, version, staff_id, action, total, reason, at)
    values (made.id::text, made.version, staff, of_what || '-asked', of_amount, why, ledger_clock());
  return query select made.id, made.state, made.version;
end $$`;

const agree = `
-- By another person than the one who asked, with a proof over its id, version and amount. Twice at once: the second finds it agreed (NB027).
create function money_correction_agree(correction uuid, of_version int, staff uuid, proof uuid)
returns table (id uuid, state text, version int, n bigint)
${definer} as $$
#variable_conflict use_column
declare
  since constant timestamptz := ledger_clock() - interval '${APPROVER_AGE}';
  c money_correction%rowtype;
  own bigint;
  other bigint;
  is_debit boolean;
  posted bigint;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'admin']);
  perform from money_correction x where x.id = correction for no key update;
  select x.* into c from money_correction x where x.id = correction;
  if c.id is null then raise exception 'no such correction' using errcode = 'NB028'; end if;
  if c.state <> 'asked' then raise exception 'it is % by now', c.state using errcode = 'NB027', detail = c.state; end if;
  if c.version is distinct from of_version then raise exception 'it was changed' using errcode = 'NB020', detail = c.version::text; end if;
  if c.asked_by = staff then raise exception 'who asked does not agree' using errcode = 'NB021'; end if;
  if exists (select from staff s where s.id = money_correction_agree.staff and (s.created_at > since or s.totp_bound_at > since))
     or exists (select from staff_proof p where p.id = proof and p.factor_at > since) then
    raise exception 'the account or its second factor is younger than a day' using errcode = 'NB026';
  end if;
  if exists (select from payout_handler h join person_phone x on x.phone = h.phone where h.staff_id in (staff, c.asked_by) and x.person_id = c.owner) then
    raise exception 'it is the money of one who handles it' using errcode = 'NB025';
  end if;
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('money.correct', c.id::text, c.version, null, null, c.amount::text), 'UTF8')));
  select o.account into own from ledger_open(c.project_id, array[c.class::text], array[c.owner], array[c.rail::text]) o;
  select o.account into other from ledger_open(c.project_id,
    array[case when c.what in ('top-up', 'wallet-top-up') then 'bank' else 'adjustment' end], array[null::uuid], array[null::text]) o;
  is_debit := c.what in ('wallet-top-up', 'adjust-down');
  select p.n into posted from ledger_post_all(c.project_id, array['correct:' || c.id],
    array[case c.what when 'top-up' then 'top-up' when 'wallet-top-up' then 'top-up' when 'write-off' then 'write-off' else 'adjust' end],
    array[case when is_debit then own else other end], array[case when is_debit then other else own end], array[c.amount * ${MICROS}],
    array[c.id], array[ledger_clock()], array['staff:' || staff]) p;
  update money_correction x set state = 'agreed', version = x.version + 1, ended_by = staff, ended_at = ledger_clock(), n = posted where x.id = c.id;
  insert into payout_action (subject, version, staff_id, action, total, proof_id, at)
    values (c.id::text, c.version, staff, c.what || '-agreed', c.amount, proof, ledger_clock());
  return query select c.id, 'agreed', c.version + 1, posted;
end $$`;

const withdraw = `
-- By who asked, or by another who will not agree.
create function money_correction_withdraw(correction uuid, of_version int, staff uuid, why text)
returns table (id uuid, state text, version int)
${definer} as $$
#variable_conflict use_column
declare
  c money_correction%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'admin']);
  perform from money_correction x where x.id = correction for no key update;
  select x.* into c from money_correction x where x.id = correction;
  if c.id is null then raise exception 'no such correction' using errcode = 'NB028'; end if;
  if c.state <> 'asked' then raise exception 'it is % by now', c.state using errcode = 'NB027', detail = c.state; end if;
  if c.version is distinct from of_version then raise exception 'it was changed' using errcode = 'NB020', detail = c.version::text; end if;
  update money_correction x set state = 'withdrawn', version = x.version + 1, ended_by = staff, ended_at = ledger_clock() where x.id = c.id;
  insert into payout_action (subject, version, staff_id, action, total, reason, at)
    values (c.id::text, c.version, staff, c.what || '-withdrawn', c.amount, why, ledger_clock());
  return query select c.id, 'withdrawn', c.version + 1;
end $$`;

/** Of one person in an hour: each opens a form at the rail. */
const BINDINGS_MAX = 10;

const bindings = `
-- A form of the rail on which a person types a card of their own. session: what the rail calls it.
create table payout_person_binding (
  id uuid primary key,
  project_id uuid not null references ledger_book,
  person_id uuid not null,
  -- The rail refuses a card of another phone.
  phone text not null check (phone ~ '^[+][1-9][0-9]{6,14}$'),
  session money_text not null,
  begun_at timestamptz not null,
  ended_at timestamptz
);
create index payout_person_binding_person on payout_person_binding (person_id, begun_at);
create trigger payout_person_binding_kept before delete or truncate or update of id, project_id, person_id, phone, session, begun_at
  on payout_person_binding for each statement execute function payout_refuse_change();

-- 'begun', or 'too-many'. Two at once of one person wait for each other, and are both counted.
create function payout_person_binding_begin(binding uuid, book uuid, person uuid, of_phone text, of_session text) returns text
${definer} as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('binding:' || person, 0));
  if (select count(*) from payout_person_binding b where b.person_id = person and b.begun_at > ledger_clock() - interval '1 hour') >= ${BINDINGS_MAX} then
    return 'too-many';
  end if;
  insert into payout_person_binding (id, project_id, person_id, phone, session, begun_at) values (binding, book, person, of_phone, of_session, ledger_clock());
  return 'begun';
end $$;

-- In the commit of its card.
create function payout_person_binding_end(binding uuid) returns void
${definer} as $$
begin
  update payout_person_binding b set ended_at = ledger_clock() where b.id = binding and b.ended_at is null;
end $$`;

const noneForPublic = `
revoke execute on function
  payout_ask_by_key(uuid, uuid, uuid, bigint, text[], text[], text[], text[], bigint[], uuid[], smallint[]), payout_cancel_by_key(uuid, uuid, uuid),
  payout_tells(), money_correction_ask(uuid, text, text, uuid, text, bigint, text, uuid), money_correction_agree(uuid, int, uuid, uuid),
  money_correction_withdraw(uuid, int, uuid, text), payout_person_binding_begin(uuid, uuid, uuid, text, text), payout_person_binding_end(uuid)
from public`;
