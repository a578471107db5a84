import { Migration } from '@mikro-orm/migrations';

/**
 * What rails say that they did: statements, their lines, and the differences to what we know; and the files that go to a bank
 * (docs/adr/0031-a-line-is-matched-exactly-or-by-a-person.md).
 *
 * Locks, in this order: the import of a rail (advisory), batch, rail, dispatch, item, payout, book. Which line is whose is decided by
 * `domain/pay/reconcile/match.ts`; what it may move is asked here of the rows, whatever the caller says.
 */
export class Migration20261129183000PayStatements extends Migration {
  override up(): void {
    for (const sql of [
      statements,
      lines,
      differences,
      ...kept,
      moves,
      begin,
      settle,
      post,
      takeBack,
      differ,
      importLines,
      onlyOurs,
      imbalance,
      stopRails,
      byStaff,
      hooks,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

/** 1 tiyin in the ledger's unit. */
const MICROS = 10_000;
/** What one call takes; a statement is as many calls in one transaction. */
const LINES_MAX = 5_000;
/** Of what a call ends: three transfers each are within what ledger_post takes. */
const ENDS_MAX = 200;
/** What `ledger_post` takes. */
const POSTS_MAX = 1_000;
/** A rail of cards tells of a payment within the hour; a bank within the next working days. */
const ONLY_OURS_AFTER = `case d.rail when 'multicard' then interval '24 hours' else interval '72 hours' end`;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const statements = `
-- What a rail said at one time: a file that somebody uploaded, or what it answered when we asked.
create table statement (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  rail money_text not null references rail check (rail <> 'all'),
  -- Of an uploaded file, which is read once.
  sha256 bytea check (length(sha256) = 32),
  from_at timestamptz not null,
  to_at timestamptz not null,
  -- Those that no statement before it had.
  lines int not null default 0 check (lines >= 0),
  imported_by uuid references staff,
  at timestamptz not null,
  unique (project_id, rail, sha256),
  check (from_at <= to_at),
  check ((sha256 is null) = (imported_by is null))
)`;

const lines = `
-- Money that left our wallet at a rail, or came back. Amounts in tiyin.
create table statement_line (
  project_id uuid not null,
  rail money_text not null references rail,
  key money_text not null,
  -- The first that told it.
  statement_id uuid not null references statement,
  direction text not null check (direction in ('out', 'back')),
  uuid money_text,
  reference money_text,
  amount bigint not null check (amount > 0),
  commission bigint not null check (commission >= 0),
  at timestamptz not null,
  -- Whom a bank's line names and why. No number of a card.
  says payout_text,
  bucket text not null check (bucket in
    ('matched', 'late', 'returned', 'early', 'amount-differs', 'only-theirs', 'duplicate', 'paid-though-failed')),
  dispatch_id uuid references payout_dispatch,
  payout_id uuid references payout,
  -- Whether it stands in the ledger.
  posted boolean not null default false,
  decided_at timestamptz not null,
  primary key (project_id, rail, key),
  check ((dispatch_id is null) = (payout_id is null)),
  check ((bucket = 'only-theirs') = (payout_id is null)),
  check (posted or bucket not in ('matched', 'late', 'returned'))
);
-- What is settled, is settled once.
create unique index statement_line_once on statement_line (dispatch_id, payout_id, direction) where bucket in ('matched', 'late', 'returned');
create index statement_line_statement on statement_line (statement_id);
create index statement_line_unsettled on statement_line (project_id, rail) where not posted`;

const differences = `
-- What does not fit: somebody's work until it is closed. While nobody has said why, no new batch of its rail begins.
create table difference (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  -- 'all': of the whole book.
  rail money_text not null references rail,
  bucket text not null check (bucket in
    ('amount-differs', 'only-theirs', 'duplicate', 'paid-though-failed', 'only-ours', 'wallet', 'clearing', 'held')),
  -- A line's key, a payout's id, or by how much an equation is wrong: the same again is the same row.
  subject money_text not null,
  -- Tiyin: of the line, of the payment, or by how much.
  amount bigint not null,
  line_key money_text,
  dispatch_id uuid references payout_dispatch,
  payout_id uuid references payout,
  -- Payouts whose line it may be.
  suggestions uuid[] not null default '{}' check (cardinality(suggestions) <= 3),
  found_at timestamptz not null,
  -- When the rail was stopped because of it.
  stopped_at timestamptz,
  owner uuid references staff,
  note text check (length(note) between 1 and 500 and not holds_card_number(note)),
  closed_at timestamptz,
  -- Null: it went by itself.
  closed_by uuid references staff,
  unique (project_id, rail, bucket, subject),
  check (closed_by is null or closed_at is not null and note is not null)
);
create index difference_open on difference (project_id, rail) where closed_at is null;
create index difference_payout on difference (payout_id) where payout_id is not null`;

/** Triggers hold the functions too, and the owner. */
const kept = [
  ...['statement', 'statement_line', 'difference'].map(
    (table) => `
create trigger ${table}_kept before delete or truncate on ${table} for each statement execute function payout_refuse_change()`,
  ),
  `
create trigger statement_same before update of id, project_id, rail, sha256, from_at, to_at, imported_by, at on statement
  for each statement execute function payout_refuse_change()`,
  `
create trigger statement_line_same before update of project_id, rail, key, statement_id, direction, uuid, reference, amount, commission, at, says on statement_line
  for each statement execute function payout_refuse_change()`,
  `
-- Only what was early is decided again.
create trigger statement_line_decided_once before update on statement_line for each row
  when (old.bucket <> 'early') execute function payout_refuse_change()`,
  `
create trigger difference_same before update of id, project_id, rail, bucket, subject, amount, line_key, dispatch_id, payout_id, suggestions on difference
  for each statement execute function payout_refuse_change()`,
  `
-- What a person has closed stays closed.
create trigger difference_closed_once before update on difference for each row
  when (old.closed_by is not null) execute function payout_refuse_change()`,
];

const moves = `
insert into ledger_move (kind, debit_class, credit_class, same_owner, purpose) values
  ('return', 'clearing', 'commission', false, 'the rail gave back what it had charged')`;

const begin = `
-- One import of a rail at a time: what the caller reads afterwards, and decides by, no other import changes. Answers the statement of
-- this very file where there is one.
create function statement_begin(book uuid, of_rail text, hash bytea) returns uuid
${definer} as $$
begin
  perform ledger_refuse_old_snapshot();
  perform pg_advisory_xact_lock(hashtextextended('statement:' || book || ' ' || of_rail, 0));
  return (select s.id from statement s where s.project_id = book and s.rail = of_rail and s.sha256 = hash);
end $$;

create function statement_open(book uuid, of_rail text, hash bytea, from_time timestamptz, to_time timestamptz, staff uuid) returns uuid
${definer} as $$
declare
  made uuid;
begin
  if staff is not null then perform payout_staff_may(staff, array['finance', 'admin']); end if;
  insert into statement (project_id, rail, sha256, from_at, to_at, imported_by, at)
    values (book, of_rail, hash, from_time, to_time, staff, ledger_clock()) returning id into made;
  return made;
end $$`;

/** The lines of a call, as rows. */
const rowsOf = (lines: 'given' | 'fresh') => `jsonb_to_recordset(${lines}) as g
    (key text, direction text, uuid text, reference text, amount bigint, commission bigint, at timestamptz, says text, bucket text, dispatch uuid, payout uuid, suggestions uuid[])`;

const settle = `
-- What the lines settle of our rows: items of a bank file are paid by their lines; what came back is returned. Each line names its payment
-- exactly, by the rail's id or by our reference, and is of its amount; else NB024.
create function statement_settle(s statement, given jsonb) returns void
${inner} as $$
declare
  book constant uuid := s.project_id;
  paid uuid[];
  back uuid[];
  ids uuid[];
begin
  select array_agg(distinct g.dispatch) into ids from ${rowsOf('given')}
    where g.bucket in ('matched', 'late', 'returned')
      and (g.direction = 'back' or exists (select from payout_item i where i.dispatch_id = g.dispatch and i.payout_id = g.payout and i.state = 'dispatched'));
  if ids is not null then
    perform from payout_batch b where b.id in (select x.batch_id from payout_dispatch x where x.id = any (ids)) order by b.id for no key update;
    perform from rail x where x.id in ('all', s.rail) order by x.id for no key update;
    perform from payout_dispatch x where x.id = any (ids) order by x.id for no key update;
  end if;
  if exists (
    select from ${rowsOf('given')}
    left join payout_dispatch d on d.id = g.dispatch and d.project_id = book and d.rail = s.rail
    left join payout_item i on i.dispatch_id = d.id and i.payout_id = g.payout
    where g.bucket in ('matched', 'late', 'returned')
      and (case s.rail when 'bank-file' then g.reference = i.payout_id::text else g.uuid = d.rail_uuid or g.reference = d.reference end
        and g.amount = i.net and (g.direction = 'back' or g.commission = d.commission)
        and (i.state in ('paid', 'returned') or i.state = 'dispatched' and d.state = 'exported')
        and (g.direction = 'back') = (g.bucket = 'returned')) is not true) then
    raise exception 'a line is not of the payment that it is matched with' using errcode = 'NB024';
  end if;
  select array_agg(i.payout_id order by i.payout_id) into paid
    from ${rowsOf('given')} join payout_item i on i.dispatch_id = g.dispatch and i.payout_id = g.payout
    where g.bucket in ('matched', 'late') and i.state = 'dispatched';
  for part in 0 .. (coalesce(cardinality(paid), 0) - 1) / ${ENDS_MAX} loop
    continue when paid is null;
    perform payout_end(book, s.rail, paid[part * ${ENDS_MAX} + 1 : (part + 1) * ${ENDS_MAX}], '{}', 'paid', true, 'statement:' || s.id, null);
  end loop;
  select array_agg(i.payout_id order by i.payout_id) into back
    from ${rowsOf('given')} join payout_item i on i.dispatch_id = g.dispatch and i.payout_id = g.payout
    where g.bucket = 'returned' and i.state = 'paid';
  for part in 0 .. (coalesce(cardinality(back), 0) - 1) / ${ENDS_MAX} loop
    continue when back is null;
    perform payout_end(book, s.rail, back[part * ${ENDS_MAX} + 1 : (part + 1) * ${ENDS_MAX}], '{}', 'returned', true, 'statement:' || s.id, 'payout-returned');
  end loop;
  -- A dispatch of many items, a file, stays what it is: some of them came back.
  update payout_dispatch d set state = 'returned', reason = 'payout-returned'
    from payout_item i where i.payout_id = any (back) and i.dispatch_id = d.id and d.items = 1 and d.state = 'paid';
end $$`;

const post = `
-- The lines that are settled, into the ledger, each under its key: clearing to wallet, or back. What the rail gives back of its charge,
-- is no expense any more.
create function statement_post(s statement, given jsonb) returns void
${inner} as $$
declare
  clearing_of bigint; wallet_of bigint; charge_of bigint;
  keys text[]; kinds text[]; debits bigint[]; credits bigint[]; amounts bigint[]; subjects uuid[]; ats timestamptz[];
begin
  select min(o.account) filter (where o.item = 1), min(o.account) filter (where o.item = 2), min(o.account) filter (where o.item = 3)
    into clearing_of, wallet_of, charge_of
    from ledger_open(s.project_id, array['clearing', 'wallet', 'commission'], array[null, null, null]::uuid[], array[s.rail, s.rail, null]) o;
  with settled as (
    select g.* from ${rowsOf('given')} where g.bucket in ('matched', 'late', 'returned')),
  posts as (
    select 'line:' || g.key as key, 'line' as kind, case g.direction when 'out' then clearing_of else wallet_of end as debit,
           case g.direction when 'out' then wallet_of else clearing_of end as credit, g.amount + g.commission as amount, g.payout, g.at from settled g
    union all
    select 'line:' || g.key || ':commission', 'return', clearing_of, charge_of, g.commission, g.payout, g.at
      from settled g where g.direction = 'back' and g.commission > 0)
  select array_agg(p.key), array_agg(p.kind), array_agg(p.debit), array_agg(p.credit), array_agg(p.amount * ${MICROS}), array_agg(p.payout), array_agg(p.at)
    into keys, kinds, debits, credits, amounts, subjects, ats
    from (select * from posts order by at, key) p;
  for part in 0 .. (coalesce(cardinality(keys), 0) - 1) / ${POSTS_MAX} loop
    continue when keys is null;
    perform ledger_post_all(s.project_id, t.keys, t.kinds, t.debits, t.credits, t.amounts, t.subjects, t.ats, array_fill('statement:' || s.id, array[cardinality(t.keys)]))
      from (select array_agg(u.key order by u.i) keys, array_agg(u.kind order by u.i) kinds, array_agg(u.debit order by u.i) debits,
                   array_agg(u.credit order by u.i) credits, array_agg(u.amount order by u.i) amounts, array_agg(u.subject order by u.i) subjects,
                   array_agg(u.at order by u.i) ats
            from unnest(keys, kinds, debits, credits, amounts, subjects, ats) with ordinality u(key, kind, debit, credit, amount, subject, at, i)
            where u.i > part * ${POSTS_MAX} and u.i <= (part + 1) * ${POSTS_MAX}) t;
  end loop;
end $$`;

const takeBack = `
-- Paid, though the rail had told us that it failed, and the hold was given back: a person has the money twice, and owes it. What a project
-- paid stays a difference, since nobody owes it to us by a rule.
create function statement_debtor(payout uuid) returns uuid
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select p.person_id from payout p where p.id = statement_debtor.payout and p.funder is null and p.state = 'failed' $$;

create function statement_take_back(s statement, l statement_line) returns void
${inner} as $$
declare
  person constant uuid := statement_debtor(l.payout_id);
  owed_of bigint; clearing_of bigint; wallet_of bigint; charge_of bigint;
begin
  select min(o.account) filter (where o.item = 1), min(o.account) filter (where o.item = 2), min(o.account) filter (where o.item = 3), min(o.account) filter (where o.item = 4)
    into owed_of, clearing_of, wallet_of, charge_of
    from ledger_open(s.project_id, array['receivable', 'clearing', 'wallet', 'commission'], array[person, null, null, null], array[null, s.rail, s.rail, null]) o;
  perform ledger_post_all(s.project_id, p.keys, p.kinds, p.debits, p.credits, p.amounts, array_fill(l.payout_id, array[cardinality(p.keys)]),
      array_fill(l.at, array[cardinality(p.keys)]), array_fill('statement:' || s.id, array[cardinality(p.keys)]))
    from (select array_agg(t.key order by t.place) keys, array_agg(t.kind order by t.place) kinds, array_agg(t.debit order by t.place) debits,
                 array_agg(t.credit order by t.place) credits, array_agg(t.amount * ${MICROS} order by t.place) amounts
          from (values
            (1, 'line:' || l.key || ':take-back', 'take-back', owed_of, clearing_of, l.amount),
            (2, 'line:' || l.key || ':commission', 'commission', charge_of, clearing_of, l.commission),
            (3, 'line:' || l.key, 'line', clearing_of, wallet_of, l.amount + l.commission)) t(place, key, kind, debit, credit, amount)
          where t.amount > 0) p;
end $$`;

const differ = `
-- A row for what does not fit; one that went by itself and is there again is open again.
create function difference_found(book uuid, of_rail text, of_bucket text, of_subject text, of_amount bigint, of_line text, of_dispatch uuid, of_payout uuid, may_be uuid[]) returns void
${inner} as $$
begin
  insert into difference (project_id, rail, bucket, subject, amount, line_key, dispatch_id, payout_id, suggestions, found_at)
    values (book, of_rail, of_bucket, of_subject, of_amount, of_line, of_dispatch, of_payout, coalesce(may_be, '{}'), ledger_clock())
    on conflict (project_id, rail, bucket, subject) do update set closed_at = null, note = null, owner = null, found_at = excluded.found_at
      where difference.closed_at is not null and difference.closed_by is null;
end $$`;

const importLines = `
-- Lines of a statement as they were decided, in the order of their times: rows, money and differences in one commit. A line that is there
-- already and was not early changes nothing. Answers how many are new, or newly decided.
create function statement_import(statement uuid, given jsonb) returns int
${definer} as $$
declare
  s statement%rowtype;
  fresh jsonb;
  changed int;
  l statement_line%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  if jsonb_array_length(given) > ${LINES_MAX} then raise exception 'at most ${LINES_MAX} a call' using errcode = 'NB004'; end if;
  select x.* into s from statement x where x.id = statement_import.statement;
  if s.id is null then raise exception 'no such statement' using errcode = 'NB028'; end if;
  perform pg_advisory_xact_lock(hashtextextended('statement:' || s.project_id || ' ' || s.rail, 0));
  select coalesce(jsonb_agg(e order by i), '[]') into fresh from jsonb_array_elements(given) with ordinality x(e, i)
    where not exists (select from statement_line o where o.project_id = s.project_id and o.rail = s.rail and o.key = e ->> 'key' and (o.bucket <> 'early' or e ->> 'bucket' = 'early'));
  perform statement_settle(s, fresh);
  insert into statement_line as o (project_id, rail, key, statement_id, direction, uuid, reference, amount, commission, at, says, bucket, dispatch_id, payout_id, posted, decided_at)
    select s.project_id, s.rail, g.key, s.id, g.direction, g.uuid, g.reference, g.amount, g.commission, g.at, g.says, g.bucket, g.dispatch, g.payout,
           g.bucket in ('matched', 'late', 'returned') or g.bucket = 'paid-though-failed' and g.direction = 'out' and statement_debtor(g.payout) is not null, ledger_clock()
    from ${rowsOf('fresh')}
    on conflict (project_id, rail, key) do update
      set bucket = excluded.bucket, dispatch_id = excluded.dispatch_id, payout_id = excluded.payout_id, posted = excluded.posted, decided_at = excluded.decided_at
      where (o.direction, o.amount, o.commission) = (excluded.direction, excluded.amount, excluded.commission);
  get diagnostics changed = row_count;
  if changed <> jsonb_array_length(fresh) then
    raise exception 'a line is not what it was before' using errcode = 'NB024';
  end if;
  update statement x set lines = x.lines + changed where x.id = s.id;
  perform statement_post(s, fresh);
  for l in
    select o.* from statement_line o join ${rowsOf('fresh')} on g.key = o.key
    where o.project_id = s.project_id and o.rail = s.rail and o.bucket in ('amount-differs', 'only-theirs', 'duplicate', 'paid-though-failed')
    order by o.at, o.key
  loop
    perform difference_found(s.project_id, s.rail, l.bucket, l.key, l.amount + l.commission, l.key, l.dispatch_id, l.payout_id,
      (select g.suggestions from ${rowsOf('fresh')} where g.key = l.key));
    if l.bucket = 'paid-though-failed' and l.posted then
      perform statement_take_back(s, l);
    end if;
  end loop;
  -- What was ours alone has its line now.
  update difference d set closed_at = ledger_clock()
    from ${rowsOf('fresh')}
    where d.project_id = s.project_id and d.rail = s.rail and d.bucket = 'only-ours' and d.subject = g.payout::text and d.closed_at is null
      and g.bucket in ('matched', 'late') and g.direction = 'out';
  return changed;
end $$`;

const onlyOurs = `
-- Payments that we know to be paid, or gave to a bank, and that no statement has yet. Answers how many are new.
create function difference_find_only_ours(book uuid, most int) returns int
${definer} as $$
declare
  o record;
  found_now int := 0;
begin
  perform ledger_refuse_old_snapshot();
  for o in
    select d.rail, d.id dispatch, i.payout_id payout, i.net + case d.items when 1 then d.commission else 0 end total
    from payout_dispatch d join payout_item i on i.dispatch_id = d.id
    where d.project_id = book
      and (d.state = 'paid' and i.state = 'paid' or d.state = 'exported' and i.state = 'dispatched')
      and d.state_at < ledger_clock() - ${ONLY_OURS_AFTER}
      and not exists (select from statement_line l where l.dispatch_id = d.id and l.payout_id = i.payout_id and l.direction = 'out')
      and not exists (select from difference x where x.project_id = book and x.rail = d.rail and x.bucket = 'only-ours' and x.subject = i.payout_id::text)
    order by d.id, i.n limit most
  loop
    perform difference_found(book, o.rail, 'only-ours', o.payout::text, o.total, null, o.dispatch, o.payout, null);
    found_now := found_now + 1;
  end loop;
  return found_now;
end $$`;

const imbalance = `
-- By how much the equation of a rail, or of the book ('all'), is wrong: null where it holds. One that is wrong by another amount than
-- before is another difference; the one before went by itself. Answers whether it is new.
create function difference_of_equation(book uuid, of_rail text, equation text, apart bigint) returns boolean
${definer} as $$
declare
  is_new boolean;
begin
  perform ledger_refuse_old_snapshot();
  if equation not in ('wallet', 'clearing', 'held') or apart = 0 then raise exception 'no such equation' using errcode = 'NB004'; end if;
  update difference d set closed_at = ledger_clock()
    where d.project_id = book and d.rail = of_rail and d.bucket = equation and d.closed_at is null and d.amount is distinct from apart;
  if apart is null then return false; end if;
  select not exists (select from difference d where d.project_id = book and d.rail = of_rail and d.bucket = equation and d.subject = 'by:' || apart
    and (d.closed_at is null or d.closed_by is not null)) into is_new;
  perform difference_found(book, of_rail, equation, 'by:' || apart, apart, null, null, null, null);
  return is_new;
end $$`;

const stopRails = `
-- Money left twice, or against our word: its rail stops, once for each. In a transaction of its own: the rail is locked before the book.
-- Answers the rails that it stopped.
create function difference_stop_rails(book uuid) returns setof text
${definer} as $$
declare
  r record;
begin
  perform ledger_refuse_old_snapshot();
  for r in
    select d.rail, min(d.bucket) why from difference d
    where d.project_id = book and d.bucket in ('duplicate', 'paid-though-failed') and d.stopped_at is null and d.closed_at is null
    group by d.rail order by d.rail
  loop
    perform from rail x where x.id = r.rail for no key update;
    perform dispatch_stop_rail(r.rail, r.why);
    update difference d set stopped_at = ledger_clock()
      where d.project_id = book and d.rail = r.rail and d.bucket in ('duplicate', 'paid-though-failed') and d.stopped_at is null and d.closed_at is null;
    return next r.rail;
  end loop;
end $$`;

const byStaff = `
-- Who looks after it; why it is so; that it is done. A note is why: from then on new batches of its rail begin again. Each in the name of
-- who did it.
create function difference_act(of_difference uuid, staff uuid, act text, said text) returns difference
${definer} as $$
#variable_conflict use_column
declare
  d difference%rowtype;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'admin']);
  perform from difference x where x.id = of_difference for no key update;
  select x.* into d from difference x where x.id = of_difference;
  if d.id is null then raise exception 'no such difference' using errcode = 'NB028'; end if;
  if d.closed_at is not null then raise exception 'it is closed' using errcode = 'NB027', detail = 'closed'; end if;
  if act not in ('own', 'note', 'close') or act = 'note' and coalesce(btrim(said), '') = '' then
    raise exception 'nothing that is done to a difference' using errcode = 'NB004';
  end if;
  if act = 'close' and coalesce(nullif(btrim(said), ''), d.note) is null then
    raise exception 'a difference is closed with a note' using errcode = 'NB027', detail = 'unexplained';
  end if;
  update difference x set
      owner = case when act = 'own' or x.owner is null then difference_act.staff else x.owner end,
      note = coalesce(nullif(btrim(said), ''), x.note),
      closed_at = case act when 'close' then ledger_clock() end,
      closed_by = case act when 'close' then difference_act.staff end
    where x.id = d.id returning x.* into d;
  insert into payout_action (subject, staff_id, action, reason, at) values (d.id::text, staff, 'difference-' || act, nullif(btrim(said), ''), ledger_clock());
  return d;
end $$`;

const hooks = `
-- No new batch of a rail begins while a difference of it is unexplained; one that runs goes on. None is closed while one of its payments is
-- a difference.
create function payout_batch_asks_differences() returns trigger ${inner} as $$
begin
  if old.state = 'approved' and new.state = 'running' and exists (
      select from difference d where d.project_id = new.project_id and d.rail in ('all', new.rail) and d.closed_at is null and d.note is null) then
    raise exception 'a difference of this rail is unexplained' using errcode = 'NB031', detail = 'difference';
  end if;
  if old.state = 'done' and new.state = 'closed' and exists (
      select from difference d join payout_item i on i.payout_id = d.payout_id and i.batch_id = new.id where d.closed_at is null) then
    raise exception 'a payment of it is a difference' using errcode = 'NB027', detail = 'difference';
  end if;
  return new;
end $$;
create trigger payout_batch_asks_differences before update of state on payout_batch for each row
  when (new.state in ('running', 'closed') and new.state <> old.state) execute function payout_batch_asks_differences()`;

const noneForPublic = `
revoke execute on function
  statement_begin(uuid, text, bytea), statement_open(uuid, text, bytea, timestamptz, timestamptz, uuid), statement_settle(statement, jsonb),
  statement_post(statement, jsonb), statement_debtor(uuid), statement_take_back(statement, statement_line),
  difference_found(uuid, text, text, text, bigint, text, uuid, uuid, uuid[]), statement_import(uuid, jsonb), difference_find_only_ours(uuid, int),
  difference_of_equation(uuid, text, text, bigint), difference_stop_rails(uuid), difference_act(uuid, uuid, text, text),
  payout_batch_asks_differences()
from public`;
