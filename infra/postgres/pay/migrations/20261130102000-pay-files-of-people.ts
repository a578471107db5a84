import { Migration } from '@mikro-orm/migrations';

/**
 * A file that one person uploaded moves nothing by itself, whether it says that money left or that it came back. Whoever takes the orders to the
 * bank could write another account into them, and hide that by a statement that says what was approved
 * (docs/adr/0031-a-line-is-matched-exactly-or-by-a-person.md).
 *
 * Locks as of statements.
 */
export class Migration20261130102000PayFilesOfPeople extends Migration {
  override up(): void {
    for (const sql of [told, open, agree, settle, importLines, onlyOurs]) this.addSql(sql);
  }
}

/** As in `20261129183000-pay-statements.ts`. */
const LINES_MAX = 5_000;
const ENDS_MAX = 200;
const ONLY_OURS_AFTER = `case d.rail when 'multicard' then interval '24 hours' else interval '72 hours' end`;
/** As in `20261129180200-pay-batches.ts`. */
const APPROVER_AGE = '24 hours';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

/** The lines of a call, as rows. `told`: this statement has it, and it is not asked about again alone. */
const rowsOf = (lines: 'given' | 'fresh') => `jsonb_to_recordset(${lines}) as g
    (key text, direction text, uuid text, reference text, amount bigint, commission bigint, at timestamptz, says text, bucket text, dispatch uuid, payout uuid, suggestions uuid[],
     told boolean)`;

const told = `
-- But for the statement: until a line is decided (statement_line_decided_once), it is of the one that told it last.
drop trigger statement_line_same on statement_line;
create trigger statement_line_same before update of project_id, rail, key, direction, uuid, reference, amount, commission, at, says on statement_line
  for each statement execute function payout_refuse_change()`;

const open = `
create or replace function statement_open(book uuid, of_rail text, hash bytea, from_time timestamptz, to_time timestamptz, staff uuid) returns uuid
${definer} as $$
declare
  made uuid;
begin
  -- Nobody asks a bank: what it says, somebody has sent us.
  if of_rail = 'bank-file' and staff is null then raise exception 'a statement of a bank is uploaded by somebody' using errcode = 'NB004'; end if;
  if staff is not null then perform payout_staff_may(staff, array['finance', 'admin']); end if;
  insert into statement (project_id, rail, sha256, from_at, to_at, imported_by, at)
    values (book, of_rail, hash, from_time, to_time, staff, ledger_clock()) returning id into made;
  return made;
end $$`;

const agree = `
-- To what an uploaded statement says left or came back and moves nothing yet, with a proof over its file, the number of these lines and their
-- sum. Who uploaded it counts still. Its caller decides the lines anew in the same transaction. Twice at once: the second waits for the import, and finds it agreed (NB027).
create or replace function statement_agree(statement uuid, staff uuid, proof uuid) returns void
${definer} as $$
declare
  since constant timestamptz := ledger_clock() - interval '${APPROVER_AGE}';
  s statement%rowtype;
  lines int;
  sum bigint;
begin
  perform ledger_refuse_old_snapshot();
  perform payout_staff_may(staff, array['finance', 'admin']);
  select x.* into s from statement x where x.id = statement_agree.statement and x.imported_by is not null;
  if s.id is null then raise exception 'no such statement' using errcode = 'NB028'; end if;
  perform pg_advisory_xact_lock(hashtextextended('statement:' || s.project_id || ' ' || s.rail, 0));
  if statement_is_agreed(s.id) then raise exception 'it is agreed to' using errcode = 'NB027', detail = 'agreed'; end if;
  select count(*)::int, coalesce(sum(l.amount + l.commission), 0)::bigint into lines, sum
    from statement_line l where l.statement_id = s.id and l.bucket = 'early';
  if lines = 0 then raise exception 'nothing of it waits' using errcode = 'NB028'; end if;
  if s.imported_by = staff then raise exception 'who uploaded it does not agree' using errcode = 'NB021'; end if;
  if not payout_staff_counts(s.imported_by) then
    raise exception 'who uploaded it counts no more: another person uploads one of these days' using errcode = 'NB034',
      detail = (select m.email from staff m where m.id = s.imported_by);
  end if;
  if exists (select from staff m where m.id = statement_agree.staff and (m.created_at > since or m.totp_bound_at > since))
     or exists (select from staff_proof p where p.id = proof and p.factor_at > since) then
    raise exception 'the account or its second factor is younger than a day' using errcode = 'NB026';
  end if;
  if exists (
    select from statement_line l join payout p on p.id = l.payout_id
    join payout_handler h on h.staff_id in (statement_agree.staff, s.imported_by)
    where l.statement_id = s.id and l.bucket = 'early' and l.direction = 'back'
      and (p.phone = h.phone or exists (select from person_phone x where x.phone = h.phone and x.person_id = p.person_id))) then
    raise exception 'it is the money of one who handles it' using errcode = 'NB025';
  end if;
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('money.correct', s.id::text, 1, encode(s.sha256, 'hex'), lines, sum::text), 'UTF8')));
  insert into payout_action (subject, version, staff_id, action, hash, count, total, proof_id, at)
    values (s.id::text, 1, staff, 'statement-agreed', s.sha256, lines, sum, proof, ledger_clock());
end $$`;

const settle = `
-- What the lines settle of our rows: items of a bank file are paid by their lines; what came back is returned. Each line names its payment
-- exactly, by the rail's id or by our reference, and is of its amount; else NB024. By a file of one person nothing moves: NB021.
create or replace function statement_settle(s statement, given jsonb) returns void
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
  -- By the statement that the line is of; a file that was agreed to has no line that it did not have then.
  if exists (
    select from ${rowsOf('given')}
    where (g.bucket in ('matched', 'late', 'returned') or g.bucket = 'paid-though-failed' and g.direction = 'out' and statement_debtor(g.payout) is not null)
      and not coalesce(
        (select statement_is_agreed(o.statement_id) from statement_line o where o.project_id = book and o.rail = s.rail and o.key = g.key),
        s.imported_by is null)) then
    raise exception 'another person agrees to what a file says' using errcode = 'NB021';
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

const importLines = `
-- Lines of a statement as they were decided, in the order of their times: rows, money and differences in one commit. A line that is there
-- already and was not early changes nothing; one that waits is of the statement that told it last, so that nobody keeps what is true from being
-- agreed to by a file that has something else, too. Answers how many are new, or newly decided.
create or replace function statement_import(statement uuid, given jsonb) returns int
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
  update statement_line o set statement_id = s.id from ${rowsOf('given')}
    where g.told and o.project_id = s.project_id and o.rail = s.rail and o.key = g.key and o.bucket = 'early' and o.statement_id <> s.id
      and not statement_is_agreed(s.id) and not statement_is_agreed(o.statement_id);
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
    where o.project_id = s.project_id and o.rail = s.rail
      and o.bucket in ('amount-differs', 'payee-differs', 'only-theirs', 'duplicate', 'paid-though-failed')
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
create or replace function difference_find_only_ours(book uuid, most int) returns int
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
      -- Of a file, what people have settled as paid, too.
      and (d.state = 'paid' and i.state = 'paid' or d.state = 'exported' and i.state in ('dispatched', 'paid'))
      and d.state_at < ledger_clock() - ${ONLY_OURS_AFTER}
      and not exists (select from statement_line l where l.dispatch_id = d.id and l.payout_id = i.payout_id and l.direction = 'out'
        -- Nobody has agreed to that one, or it can not be decided yet.
        and l.bucket <> 'early')
      and not exists (select from difference x where x.project_id = book and x.rail = d.rail and x.bucket = 'only-ours' and x.subject = i.payout_id::text)
    order by d.id, i.n limit most
  loop
    perform difference_found(book, o.rail, 'only-ours', o.payout::text, o.total, null, o.dispatch, o.payout, null);
    found_now := found_now + 1;
  end loop;
  return found_now;
end $$`;
