import { Migration } from '@mikro-orm/migrations';

/**
 * The ledger: books, accounts, transfers, and the only functions that write them (docs/adr/0025-one-book-posted-in-batches.md).
 *
 * Amounts are bigint of 10^-6 UZS. The balance of an account is what was credited less what was debited.
 */
export class Migration20261129150300PayLedger extends Migration {
  override up(): void {
    for (const sql of [
      ...refusals,
      ...tables,
      ...kept,
      ...classes,
      ...moves,
      entry,
      open,
      bookOpen,
      post,
      postAll,
      ...durable,
      ...noneForPublic,
    ])
      this.addSql(sql);
  }
}

/**
 * 15 digits in a row, whatever signs stand between two of them: what holds fewer holds no card number. It stands in front of the
 * function, which then is asked for one text of ours in twenty. Each bound costs: {0,3} in place of * takes 10 µs in place of 5, {1,200} 100.
 */
const ENOUGH_DIGITS = '[0-9](?:[^0-9A-Za-z]*[0-9]){14}';

/**
 * Numbers as issuers give them: Uzcard (8600, 5614, 6262), Humo (9860), Visa, Mastercard, American Express, UnionPay, Mir. By Luhn alone one
 * honest number of ten would be refused, such as an amount or the milliseconds of a clock. Visa's old 13 digits are not among them.
 */
const ISSUED = [
  '(?:8600|9860|5614)[0-9]{12}',
  '4[0-9]{15}',
  '4[0-9]{18}',
  '5[1-5][0-9]{14}',
  '(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}',
  '3[47][0-9]{13}',
  '62[0-9]{14,17}',
  '220[0-4][0-9]{12,15}',
].join('|');

const HEX = '[0-9A-Fa-f]';
/** As we make them, by their version and variant. A card number laid over a UUID has others. */
const OUR_UUID = `(?<!${HEX})${HEX}{8}-${HEX}{4}-[47]${HEX}{3}-[89ABab]${HEX}{3}-${HEX}{12}(?!${HEX})`;
/** Of the form of a UUID, and none by its variant. */
const NO_UUID = `${HEX}{8}-${HEX}{4}-${HEX}{4}-[0-7C-Fc-f]${HEX}{3}-${HEX}{12}`;

const refusals = [
  `
-- True of an issuer's number with a right check digit (Luhn).
create function is_card_number(digits text) returns boolean
language plpgsql immutable strict parallel safe set search_path = pg_catalog, public, pg_temp as $$
declare
  figure int; total int := 0;
begin
  if digits !~ '^(?:${ISSUED})$' then return false; end if;
  for place in 1 .. length(digits) loop
    figure := substr(digits, length(digits) + 1 - place, 1)::int;
    if place % 2 = 0 then
      figure := figure * 2;
      if figure > 9 then figure := figure - 9; end if;
    end if;
    total := total + figure;
  end loop;
  return total % 10 = 0;
end $$`,
  `
-- True where one or more whole groups of digits, one behind the other, are a card number. A part of a longer group is none: numbers of 17
-- to 19 digits would be refused too often. Every text of money asks it. A guard against mistakes: whoever wants to hide a number can.
create function holds_card_number(said text) returns boolean
language plpgsql immutable strict parallel safe set search_path = pg_catalog, public, pg_temp as $$
declare
  rest text; chain text; groups text[]; digits text;
begin
  if said !~ '${ENOUGH_DIGITS}' then return false; end if;
  rest := regexp_replace(said, '${OUR_UUID}', 'x', 'g');
  for chain in select m[1] from regexp_matches(rest, '([0-9]+(?:[^0-9A-Za-z]{1,3}[0-9]+)*)', 'g') m loop
    groups := regexp_split_to_array(chain, '[^0-9]+');
    for i in 1 .. cardinality(groups) loop
      digits := '';
      for j in i .. cardinality(groups) loop
        digits := digits || groups[j];
        exit when length(digits) > 19;
        if is_card_number(digits) then return true; end if;
      end loop;
    end loop;
  end loop;
  -- Its groups are no groups of a number.
  return exists (
    select from regexp_matches(rest, '(${NO_UUID})', 'g') m, generate_series(1, 18) a(place), generate_series(15, 19) b(size)
    where is_card_number(substr(replace(m[1], '-', ''), a.place, b.size)));
end $$`,
  `
-- What money keeps as text: printable ASCII without spaces, so that one text has one form, and no card number.
create domain money_text as text
  check (octet_length(value) between 1 and 200 and value !~ '[^!-~]')
  check (value !~ '${ENOUGH_DIGITS}' or not holds_card_number(value))`,
];

const tables = [
  `
-- A book: the accounts and transfers of one currency, numbered from 1 without a gap. Its row is the only lock of a post, so that
-- whoever holds it may read and write every account and key of the book.
create table ledger_book (
  project_id uuid primary key references project,
  currency money_text not null default 'UZS',
  next_n bigint not null default 1 check (next_n > 0),
  -- Of the newest transfer: never goes back.
  posted_at timestamptz not null default '-infinity'
) with (fillfactor = 50)`,
  `
-- What sorts of account there are, whose they are, and how far each may go. Null is no limit but that of the arithmetic.
create table ledger_class (
  class money_text primary key,
  owned_by text not null check (owned_by in ('person', 'project', 'book', 'rail')),
  floor bigint,
  ceiling bigint,
  purpose text not null
)`,
  `
create table ledger_account (
  id bigint generated always as identity primary key,
  project_id uuid not null references ledger_book,
  class money_text not null references ledger_class,
  -- A person's or a project's id.
  owner uuid,
  rail money_text check (length(rail) <= 40 and rail ~ '^[a-z]' and rail !~ '[^a-z0-9-]'),
  balance bigint not null default 0,
  floor bigint,
  ceiling bigint,
  -- How many transfers moved it.
  version bigint not null default 0,
  unique nulls not distinct (project_id, class, owner, rail),
  check (balance >= floor),
  check (balance <= ceiling),
  -- An amount of at most 10^18 more still fits into a bigint.
  check (balance between -4000000000000000000 and 4000000000000000000)
) with (fillfactor = 70)`,
  `
-- What may move at all. By class alone the hold of one person could pay another: where both sides are somebody's, it is the same one.
create table ledger_move (
  kind text check (length(kind) between 1 and 40 and kind !~ '[^a-z-]'),
  debit_class money_text references ledger_class,
  credit_class money_text references ledger_class,
  same_owner boolean not null,
  purpose text not null,
  primary key (kind, debit_class, credit_class)
)`,
  `
-- One row a transfer, both sides on it: what is debited is credited. No foreign keys on the two accounts: they cost two fifths of
-- the speed, and ledger_post reads each account anyway.
create table ledger_transfer (
  project_id uuid not null,
  n bigint not null,
  key money_text not null,
  kind text not null check (length(kind) between 1 and 40 and kind !~ '[^a-z-]'),
  debit bigint not null,
  credit bigint not null,
  amount bigint not null check (amount > 0),
  debit_after bigint not null,
  credit_after bigint not null,
  debit_before bigint generated always as (debit_after + amount) virtual,
  credit_before bigint generated always as (credit_after - amount) virtual,
  -- What it is for: a withdrawal, a session, a top-up.
  subject_id uuid,
  event_at timestamptz not null,
  posted_at timestamptz not null,
  actor money_text not null,
  primary key (project_id, n),
  unique (project_id, key),
  check (debit <> credit)
)`,
  `create index on ledger_transfer (debit, n)`,
  `create index on ledger_transfer (credit, n)`,
  `
-- A refusal for funds burns its key: asked again when the money is there, the same key is refused again.
create table ledger_refusal (
  project_id uuid not null,
  key money_text not null,
  kind text not null check (length(kind) between 1 and 40 and kind !~ '[^a-z-]'),
  debit bigint not null,
  credit bigint not null,
  amount bigint not null,
  subject_id uuid,
  reason text not null check (reason = 'NB001'),
  event_at timestamptz not null,
  refused_at timestamptz not null,
  actor money_text not null,
  primary key (project_id, key)
)`,
];

/** Triggers hold the owner too, where grants hold only the role that runs. */
const kept = [
  `
create function ledger_refuse_change() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  raise exception '% on %: what the ledger holds is never changed', lower(tg_op), tg_table_name using errcode = 'NB009';
end $$`,
  ...['ledger_transfer', 'ledger_refusal', 'ledger_class', 'ledger_move'].map(
    (table) => `
create trigger ${table}_kept before update or delete or truncate on ${table} for each statement execute function ledger_refuse_change()`,
  ),
  // What ledger_post writes on these: balance and version, next_n and posted_at.
  `
create trigger ledger_account_kept before delete or truncate or update of id, project_id, class, owner, rail, floor, ceiling on ledger_account
  for each statement execute function ledger_refuse_change()`,
  `
create trigger ledger_book_kept before delete or truncate or update of project_id, currency on ledger_book
  for each statement execute function ledger_refuse_change()`,
];

const classes = [
  `
insert into ledger_class (class, owned_by, floor, ceiling, purpose) values
  ('available', 'person', 0, null, 'what a person may withdraw'),
  ('held', 'person', 0, null, 'what withdrawals under way have taken off available'),
  ('receivable', 'person', null, 0, 'what a person owes, as a negative balance: taken back after it was spent'),
  ('funded', 'project', 0, null, 'what a project has paid in for its own payouts'),
  ('funded-held', 'project', 0, null, 'what payouts under way have taken off funded'),
  ('earnings', 'book', null, null, 'the expense of what people earned, as a negative balance'),
  ('promo', 'book', null, null, 'the expense of promotions, as a negative balance'),
  ('commission', 'book', null, null, 'the expense of what rails charge, as a negative balance'),
  ('adjustment', 'book', null, null, 'the other side of corrections and write-offs'),
  ('fee', 'book', null, null, 'what people and projects pay for a payout'),
  ('bank', 'book', null, null, 'the money at our bank, as a negative balance'),
  ('clearing', 'rail', null, null, 'what was paid by a rail and stands in no statement of it yet'),
  ('wallet', 'rail', null, null, 'the money in our wallet at a rail, as a negative balance')`,
];

const moves = [
  `
insert into ledger_move (kind, debit_class, credit_class, same_owner, purpose) values
  -- Earning.
  ('earn', 'earnings', 'available', false, 'a day is closed: what a person earned'),
  ('earn', 'earnings', 'receivable', false, 'a day is closed: what a person owes is taken off it first'),
  ('promo', 'promo', 'available', false, 'a promotion'),
  ('take-back', 'available', 'earnings', false, 'earnings of a day are taken back'),
  ('take-back', 'receivable', 'earnings', false, 'the part of them that was spent already: the person owes it'),
  ('recover', 'available', 'receivable', true, 'a debt is paid out of what the person has'),
  ('write-off', 'adjustment', 'receivable', false, 'a debt is given up; two people'),
  ('adjust', 'available', 'adjustment', false, 'a correction down; two people'),
  ('adjust', 'adjustment', 'available', false, 'a correction up; two people'),
  -- Paying a person out of their balance.
  ('hold', 'available', 'held', true, 'a withdrawal is asked for'),
  ('release', 'held', 'available', true, 'it was cancelled, dropped or has failed for certain'),
  ('pay', 'held', 'clearing', false, 'the rail has paid'),
  ('fee', 'held', 'fee', false, 'our fee of it'),
  ('commission', 'commission', 'clearing', false, 'what the rail charges for it, at our expense'),
  ('return', 'clearing', 'available', false, 'the rail took the payment back'),
  ('return', 'fee', 'available', false, 'our fee of a payment that was taken back'),
  ('take-back', 'receivable', 'clearing', false, 'the rail has paid what it told us had failed, after the release: the person owes it'),
  -- Paying for a project out of what it has paid in.
  ('top-up', 'bank', 'funded', false, 'a project has paid in; two people'),
  ('hold', 'funded', 'funded-held', true, 'a payout is asked for'),
  ('release', 'funded-held', 'funded', true, 'it was cancelled, dropped or has failed for certain'),
  ('pay', 'funded-held', 'clearing', false, 'the rail has paid'),
  ('fee', 'funded-held', 'fee', false, 'our fee of it'),
  ('return', 'clearing', 'funded', false, 'the rail took the payment back'),
  ('return', 'fee', 'funded', false, 'our fee of a payment that was taken back'),
  ('adjust', 'funded', 'adjustment', false, 'a correction down; two people'),
  ('adjust', 'adjustment', 'funded', false, 'a correction up; two people'),
  -- Our wallet at a rail.
  ('top-up', 'wallet', 'bank', false, 'money was sent from the bank to the wallet; two people'),
  ('line', 'clearing', 'wallet', false, 'a line of the statement: a payment left the wallet'),
  ('line', 'wallet', 'clearing', false, 'a line of the statement: a payment came back')`,
];

const entry = `
-- Each side of each transfer, in the order of the book: the statement of an account is its rows.
create view ledger_entry with (security_invoker = true) as
  select project_id, n, debit as account, 'debit' as side, -amount as amount, debit_before as before, debit_after as after,
         credit as other, key, kind, subject_id, event_at, posted_at, actor
    from ledger_transfer
  union all
  select project_id, n, credit, 'credit', amount, credit_before, credit_after,
         debit, key, kind, subject_id, event_at, posted_at, actor
    from ledger_transfer`;

const open = `
-- The accounts of these classes, owners and rails, made where they are missing; answers in the order of the items.
create function ledger_open(book uuid, classes text[], owners uuid[], rails text[])
returns table (item int, account bigint)
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  dims constant text := array_dims(classes);
begin
  perform ledger_refuse_old_snapshot();
  if coalesce(cardinality(classes), 0) = 0 then return; end if;
  if cardinality(classes) > 1000 or dims is distinct from '[1:' || cardinality(classes) || ']'
     or dims is distinct from array_dims(owners) or dims is distinct from array_dims(rails) then
    raise exception 'not a list of accounts' using errcode = 'NB004';
  end if;
  if exists (
    select from unnest(classes, owners, rails) w(class, owner, rail) left join ledger_class c on c.class = w.class
    where c.class is null or (w.owner is not null) <> (c.owned_by in ('person', 'project')) or (w.rail is not null) <> (c.owned_by = 'rail')
  ) then
    raise exception 'no such class of account, or not of such an owner' using errcode = 'NB003';
  end if;
  if exists (
    select from unnest(classes, owners, rails) w(class, owner, rail)
    left join lateral (
      select a.id from ledger_account a
      where a.project_id = book and a.class = w.class and a.owner is not distinct from w.owner and a.rail is not distinct from w.rail limit 1) a on true
    where a.id is null
  ) then
    -- The same lock as of a post: one that opens and one that posts never wait for each other.
    perform from ledger_book b where b.project_id = book for no key update;
    if not found then raise exception 'no such book' using errcode = 'NB003'; end if;
    insert into ledger_account (project_id, class, owner, rail, floor, ceiling)
      select distinct book, w.class, w.owner, w.rail, c.floor, c.ceiling
      from unnest(classes, owners, rails) w(class, owner, rail) join ledger_class c on c.class = w.class
      on conflict do nothing;
  end if;
  return query
    select w.i::int, a.id
    from unnest(classes, owners, rails) with ordinality w(class, owner, rail, i)
    cross join lateral (
      select a.id from ledger_account a
      where a.project_id = book and a.class = w.class and a.owner is not distinct from w.owner and a.rail is not distinct from w.rail limit 1) a
    order by w.i;
end $$`;

const bookOpen = `
-- The book of a project, with the accounts that are the book's own. Safe to call at every start.
create function ledger_book_open(project uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'
as $$
begin
  perform ledger_refuse_old_snapshot();
  if not exists (select from project p where p.id = project) then
    raise exception 'no such project' using errcode = 'NB003';
  end if;
  insert into ledger_book (project_id) values (project) on conflict do nothing;
  perform ledger_open(project, c.classes, array_fill(null::uuid, array[cardinality(c.classes)]), array_fill(null::text, array[cardinality(c.classes)]))
    from (select array_agg(class::text order by class) as classes from ledger_class where owned_by = 'book') c;
end $$`;

/** When what is posted happened: late is a correction of years ago, early the clock of another. Beyond these a date was misread. */
const EVENTS_FROM = '2000-01-01T00:00:00Z';
const EVENTS_AHEAD = '1 day';

const post = `
-- Posts the items in their order, each by itself: one that is refused moves nothing and stops no other. At most 1 000 a call.
-- state: posted; repeated (its key was posted before, with the same columns); or why it was refused: NB001 the floor or ceiling of an
-- account, and the key with it; NB002 the key stands for another transfer; NB003 no such account or move. What is no list of
-- transfers raises NB004: an event_at before 2000 or more than a day ahead is none either. event_at and actor are no part of what a repeat is compared by: who repeats may ask the clock again.
--
-- The book first, then keys and accounts, each read by a statement of its own: a statement's snapshot is older than its lock.
--
-- Every look-up is by an index, whatever the tables' statistics say, so that one plan is kept for all sizes of the book: planned anew
-- at each call, batches of 10 were half as fast.
create function ledger_post(
  book uuid, keys text[], kinds text[], debits bigint[], credits bigint[], amounts bigint[],
  subjects uuid[], event_ats timestamptz[], actors text[])
returns table (item int, n bigint, state text)
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_mergejoin = off
set enable_hashjoin = off
set jit = off
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  items constant int := coalesce(cardinality(keys), 0);
  -- Of an account without a floor or ceiling: the arithmetic of bigint ends at 9.2 × 10^18.
  widest constant bigint := 4000000000000000000;
  at timestamptz;
  first_n bigint;
  posted int := 0;
  refused boolean := false;
  -- By item.
  states text[] := array_fill(null::text, array[items]);
  ns bigint[] := array_fill(null::bigint, array[items]);
  debit_afters bigint[] := ns;
  credit_afters bigint[] := ns;
  -- By account, as numbered below: 2 an item at most.
  slots int[];
  accounts bigint[] := array_fill(null::bigint, array[2 * items]);
  balances bigint[] := accounts;
  moved int[] := array_fill(0, array[2 * items]);
  -- By key, numbered likewise: the item that took it.
  takers int[] := array_fill(null::int, array[items]);
  taker int;
  debit_after bigint;
  credit_after bigint;
  r record;
begin
  perform ledger_refuse_old_snapshot();
  if items = 0 then return; end if;
  if items > 1000 then raise exception 'more than 1000 transfers in one call' using errcode = 'NB004'; end if;
  if array_dims(keys) <> '[1:' || items || ']' or exists (
       select from (values (array_dims(kinds)), (array_dims(debits)), (array_dims(credits)), (array_dims(amounts)), (array_dims(subjects)), (array_dims(event_ats)), (array_dims(actors))) d(dims)
       where d.dims is distinct from array_dims(keys))
     or exists (
       select from unnest(keys, kinds, debits, credits, amounts, event_ats, actors) t(key, kind, debit, credit, amount, event_at, actor)
       where num_nulls(key, kind, debit, credit, amount, event_at, actor) > 0 or amount not between 1 and 1000000000000000000
          or debit = credit
          or event_at not between '${EVENTS_FROM}' and ledger_clock() + interval '${EVENTS_AHEAD}') then
    raise exception 'not a list of transfers' using errcode = 'NB004';
  end if;

  select b.next_n, b.posted_at into first_n, at from ledger_book b where b.project_id = book for no key update;
  if not found then raise exception 'no such book' using errcode = 'NB003'; end if;
  -- After the wait for the lock, and never before the transfer in front of it.
  at := greatest(ledger_clock(), at);

  -- A small number for each account. Never a join of unnest with unnest: it is planned as ten rows, and becomes a nested loop.
  select array_agg(s.slot order by s.place) into slots
    from (select dense_rank() over (order by u.id)::int as slot, u.place from unnest(debits || credits) with ordinality u(id, place)) s;

  for r in
    select t.i::int, t.debit, t.credit, t.amount, t.debit_slot, t.credit_slot,
           dense_rank() over (order by t.key)::int as key_slot,
           before.n as before_n, coalesce(before.is_refusal, false) as before_refused, before.key is not null as is_known,
           (before.kind, before.debit, before.credit, before.amount, before.subject_id)
             is not distinct from (t.kind, t.debit, t.credit, t.amount, t.subject) as is_same,
           m.kind is not null and (not m.same_owner or d.owner = c.owner) as is_allowed,
           d.balance as debit_balance, c.balance as credit_balance,
           coalesce(d.floor, -widest) as floor, coalesce(c.ceiling, widest) as ceiling
    from unnest(keys, kinds, debits, credits, amounts, subjects, slots[:items], slots[items + 1:])
      with ordinality t(key, kind, debit, credit, amount, subject, debit_slot, credit_slot, i)
    -- limit: while a table was never analysed, the plan without it reads the whole book.
    left join lateral (
      (select x.key, x.kind, x.debit, x.credit, x.amount, x.subject_id, x.n, false as is_refusal
         from ledger_transfer x where x.project_id = book and x.key = t.key limit 1)
      union all
      (select x.key, x.kind, x.debit, x.credit, x.amount, x.subject_id, null, true
         from ledger_refusal x where x.project_id = book and x.key = t.key limit 1)) before on true
    left join lateral (select a.class, a.owner, a.balance, a.floor from ledger_account a where a.id = t.debit and a.project_id = book limit 1) d on true
    left join lateral (select a.class, a.owner, a.balance, a.ceiling from ledger_account a where a.id = t.credit and a.project_id = book limit 1) c on true
    left join ledger_move m on m.kind = t.kind and m.debit_class = d.class and m.credit_class = c.class
    order by t.i
  loop
    if r.is_known then
      states[r.i] := case when not r.is_same then 'NB002' when r.before_refused then 'NB001' else 'repeated' end;
      if r.is_same then ns[r.i] := r.before_n; end if;
    elsif takers[r.key_slot] is not null then
      -- An item of this call in front of it took the key.
      taker := takers[r.key_slot];
      if (kinds[taker], debits[taker], credits[taker], amounts[taker], subjects[taker])
         is distinct from (kinds[r.i], r.debit, r.credit, r.amount, subjects[r.i]) then
        states[r.i] := 'NB002';
      else
        ns[r.i] := ns[taker];
        states[r.i] := case states[taker] when 'posted' then 'repeated' else states[taker] end;
      end if;
    elsif r.is_allowed is not true then
      states[r.i] := 'NB003';
    else
      takers[r.key_slot] := r.i;
      debit_after := coalesce(balances[r.debit_slot], r.debit_balance) - r.amount;
      credit_after := coalesce(balances[r.credit_slot], r.credit_balance) + r.amount;
      if debit_after < r.floor or credit_after > r.ceiling then
        states[r.i] := 'NB001';
        refused := true;
      else
        balances[r.debit_slot] := debit_after;
        accounts[r.debit_slot] := r.debit;
        moved[r.debit_slot] := moved[r.debit_slot] + 1;
        balances[r.credit_slot] := credit_after;
        accounts[r.credit_slot] := r.credit;
        moved[r.credit_slot] := moved[r.credit_slot] + 1;
        debit_afters[r.i] := debit_after;
        credit_afters[r.i] := credit_after;
        ns[r.i] := first_n + posted;
        states[r.i] := 'posted';
        posted := posted + 1;
      end if;
    end if;
  end loop;

  begin
    if posted > 0 then
      insert into ledger_transfer (project_id, n, key, kind, debit, credit, amount, debit_after, credit_after, subject_id, event_at, posted_at, actor)
        select book, t.n, t.key, t.kind, t.debit, t.credit, t.amount, t.debit_after, t.credit_after, t.subject, t.event_at, at, t.actor
        from unnest(ns, states, keys, kinds, debits, credits, amounts, debit_afters, credit_afters, subjects, event_ats, actors)
          t(n, state, key, kind, debit, credit, amount, debit_after, credit_after, subject, event_at, actor)
        where t.state = 'posted';
      update ledger_account a set balance = s.balance, version = a.version + s.moved
        from unnest(accounts, balances, moved) s(account, balance, moved)
        where s.moved > 0 and a.id = s.account;
      update ledger_book b set next_n = first_n + posted, posted_at = at where b.project_id = book;
    end if;
    if refused then
      -- Changed by a refusal too: whoever locks it by an older snapshot, which has no row of the refusal, fails (40001).
      update ledger_book b set next_n = first_n + posted where b.project_id = book;
      insert into ledger_refusal (project_id, key, kind, debit, credit, amount, subject_id, reason, event_at, refused_at, actor)
        select book, t.key, t.kind, t.debit, t.credit, t.amount, t.subject, t.state, t.event_at, at, t.actor
        from unnest(states, keys, kinds, debits, credits, amounts, subjects, event_ats, actors)
          t(state, key, kind, debit, credit, amount, subject, event_at, actor)
        where t.state = 'NB001'
        on conflict do nothing;
    end if;
  exception when check_violation then
    raise exception 'a key or an actor is no text of the ledger, or holds a card number' using errcode = 'NB004', detail = sqlerrm;
  end;
  return query select t.i::int, t.n, t.state from unnest(ns, states) with ordinality t(n, state, i) order by t.i;
end $$`;

const postAll = `
-- All items or none, for a step that is several transfers. The first that is refused raises its reason as SQLSTATE, with its number as
-- detail; its key is not burned, since nothing of the call is kept.
create function ledger_post_all(
  book uuid, keys text[], kinds text[], debits bigint[], credits bigint[], amounts bigint[],
  subjects uuid[], event_ats timestamptz[], actors text[])
returns table (item int, n bigint, state text)
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  r record;
begin
  for r in select p.item, p.n, p.state from ledger_post(book, keys, kinds, debits, credits, amounts, subjects, event_ats, actors) p order by p.item loop
    if r.state not in ('posted', 'repeated') then
      raise exception 'transfer % is refused', keys[r.item] using errcode = r.state, detail = r.item::text;
    end if;
    item := r.item; n := r.n; state := r.state;
    return next;
  end loop;
end $$`;

const durable = [
  `
-- Who waits for the book must see what was committed meanwhile. By an older snapshot a key that was refused would be posted as well.
create function ledger_refuse_old_snapshot() returns void language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the transaction is %: money moves in read committed only', current_setting('transaction_isolation') using errcode = 'NB004';
  end if;
end $$`,
  `
-- The time of this moment on the clock that a sandbox may move: who has waited for the book must not post before the wait.
create function ledger_clock() returns timestamptz language sql volatile set search_path = pg_catalog, public, pg_temp as $$
  select navbat_now() + (clock_timestamp() - now()) $$`,
  `
-- With synchronous_commit off a crash could take back what was answered. Asked as the transaction commits, so that it is not turned off
-- after the post by mistake. It can't stop whoever means to: set constraints all immediate asks earlier.
create function ledger_refuse_async() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if current_setting('synchronous_commit') = 'off' then
    raise exception 'synchronous_commit is off: a crash could take back what was posted' using errcode = 'NB004';
  end if;
  return null;
end $$`,
  `
create constraint trigger ledger_book_durable after insert or update on ledger_book deferrable initially deferred
  for each row execute function ledger_refuse_async()`,
  `
create constraint trigger ledger_refusal_durable after insert on ledger_refusal deferrable initially deferred
  for each row execute function ledger_refuse_async()`,
];

/** By name: functions are executable by everybody until somebody says otherwise. */
const noneForPublic = [
  `revoke execute on function
  is_card_number(text), holds_card_number(text), ledger_refuse_change(), ledger_refuse_async(), ledger_refuse_old_snapshot(), ledger_clock(), ledger_book_open(uuid),
  ledger_open(uuid, text[], uuid[], text[]),
  ledger_post(uuid, text[], text[], bigint[], bigint[], bigint[], uuid[], timestamptz[], text[]),
  ledger_post_all(uuid, text[], text[], bigint[], bigint[], bigint[], uuid[], timestamptz[], text[])
from public`,
];
