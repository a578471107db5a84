import { Migration } from '@mikro-orm/migrations';

/**
 * Whose money it is, is asked alike of a batch, of a payment that is settled, of a statement, whatever it says, of a correction and of a
 * block: by phone, by person, and by a card or an account that both have bound. Before, all but batches forgot the card.
 */
export class Migration20261130170300PayOwnMoney extends Migration {
  override up(): void {
    for (const sql of [own, refuse, two, agree, correct, lift, noneForPublic]) this.addSql(sql);
  }
}

/** As in `20261129180200-pay-batches.ts`. */
const APPROVER_AGE = '24 hours';
/** As in `20261129181200-pay-dispatch-people.ts`. */
const ASKED_WITHIN = '24 hours';
/** As in `20261129184000-pay-doors.ts`. */
const MICROS = 10_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const own = `
-- What is these members of staff's own: their phones as they are declared, the people who have them, and the cards and accounts that are
-- bound to either. One row; empty where nothing is declared.
create function payout_own_of(handlers uuid[]) returns table (phones text[], people uuid[], cards bytea[])
language plpgsql stable set search_path = pg_catalog, public, pg_temp as $$
begin
  phones := array(select h.phone from payout_handler h where h.staff_id = any (handlers));
  people := array(select x.person_id from person_phone x where x.phone = any (phones));
  cards := array(select d.holder_hash from payout_destination d where d.phone = any (phones) or d.person_id = any (people));
  return next;
end $$;

-- Whether the money of this person is one of theirs: by a phone, or by a card that both have bound. Null is nobody.
create function payout_owns(handlers uuid[], person uuid) returns boolean
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select exists (
    select from payout_own_of(handlers) own
    where person = any (own.people)
      or exists (select from payout_destination d where d.person_id = person and d.holder_hash = any (own.cards))) $$`;

const refuse = `
create or replace function payout_batch_refuse_own(batch uuid, handlers uuid[]) returns void
${inner} as $$
declare
  phones text[];
  people uuid[];
  cards bytea[];
begin
  select o.phones, o.people, o.cards into phones, people, cards from payout_own_of(handlers) o;
  if phones = '{}' then return; end if;
  if exists (
    select from payout_item i where i.batch_id = batch and i.state <> 'dropped'
      and (i.phone = any (phones) or i.person_id = any (people) or i.token_hash = any (cards))) then
    raise exception 'it pays somebody who handles it' using errcode = 'NB025';
  end if;
end $$`;

const two = `
-- What the second of two people agrees to: what another, who counts, asked for of this subject last, and nobody has agreed to yet. Raises
-- otherwise; and where the subject is a payment, by its dispatch or its payout, of one of the two, by a card too. Of a payment the newest saying of what
-- became of it takes the place of those before.
create or replace function payout_agreed(of_subject text, what text, staff uuid, since timestamptz) returns payout_action
${inner} as $$
declare
  asked payout_action%rowtype;
  actions constant text[] := case when what like 'settle-%' then array['settle-paid-asked', 'settle-failed-asked'] else array[what || '-asked'] end;
  from_at constant timestamptz := greatest(since, ledger_clock() - interval '${ASKED_WITHIN}');
  gone text;
begin
  perform payout_staff_may(staff, array['finance', 'admin']);
  select a.* into asked from payout_action a
    where a.subject = of_subject and a.action = any (actions) and a.at >= from_at and payout_staff_counts(a.staff_id)
    order by a.at desc, a.id desc limit 1;
  if asked.id is null then
    select s.email into gone from payout_action a join staff s on s.id = a.staff_id
      where a.subject = of_subject and a.action = what || '-asked' and a.at >= from_at order by a.at desc, a.id desc limit 1;
    if gone is not null then
      raise exception 'who asked for it counts no more: another person asks' using errcode = 'NB034', detail = gone;
    end if;
  end if;
  if asked.id is null or asked.action <> what || '-asked'
     or exists (select from payout_action a where a.subject = of_subject and a.action = what || '-agreed' and a.at >= asked.at) then
    raise exception 'nobody has asked for it' using errcode = 'NB028';
  end if;
  if asked.staff_id = staff then raise exception 'another person agrees' using errcode = 'NB021'; end if;
  if exists (select from staff s where s.id = payout_agreed.staff
      and (s.created_at > ledger_clock() - interval '${APPROVER_AGE}' or s.totp_bound_at > ledger_clock() - interval '${APPROVER_AGE}')) then
    raise exception 'the account or its second factor is younger than a day' using errcode = 'NB026';
  end if;
  -- No subject but a payment is settled.
  if what like 'settle-%' and exists (
    select from payout_own_of(array[payout_agreed.staff, asked.staff_id]) own, payout_item i
    where (i.dispatch_id = of_subject::uuid or i.payout_id = of_subject::uuid) and i.state = 'dispatched'
      and (i.phone = any (own.phones) or i.person_id = any (own.people) or i.token_hash = any (own.cards))) then
    raise exception 'it is the money of one who handles it' using errcode = 'NB025';
  end if;
  return asked;
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
    select from payout_own_of(array[statement_agree.staff, s.imported_by]) own, statement_line l join payout p on p.id = l.payout_id
      left join payout_destination d on d.id = p.destination_id
    where l.statement_id = s.id and l.bucket = 'early'
      and (p.phone = any (own.phones) or p.person_id = any (own.people) or d.holder_hash = any (own.cards))) then
    raise exception 'it is the money of one who handles it' using errcode = 'NB025';
  end if;
  perform staff_proof_use(proof, staff, sha256(convert_to(
    staff_proof_binds('money.correct', s.id::text, 1, encode(s.sha256, 'hex'), lines, sum::text), 'UTF8')));
  insert into payout_action (subject, version, staff_id, action, hash, count, total, proof_id, at)
    values (s.id::text, 1, staff, 'statement-agreed', s.sha256, lines, sum, proof, ledger_clock());
end $$`;

const correct = `
-- By another person than the one who asked, who counts still, with a proof over its id, version and amount. Twice at once: the second finds it
-- agreed (NB027).
create or replace function money_correction_agree(correction uuid, of_version int, staff uuid, proof uuid)
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
  if not payout_staff_counts(c.asked_by) then
    raise exception 'who asked for it counts no more: withdraw it, and another person asks' using errcode = 'NB034',
      detail = (select s.email from staff s where s.id = c.asked_by);
  end if;
  if exists (select from staff s where s.id = money_correction_agree.staff and (s.created_at > since or s.totp_bound_at > since))
     or exists (select from staff_proof p where p.id = proof and p.factor_at > since) then
    raise exception 'the account or its second factor is younger than a day' using errcode = 'NB026';
  end if;
  if payout_owns(array[staff, c.asked_by], c.owner) then
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

const lift = `
-- Inner: what staff blocked of the person, and nothing else: what happened to them ends by itself. Who has a phone or a card of the person lifts nothing (NB025).
-- Answers whether there was one.
create or replace function payout_block_lift(person uuid, staff uuid, why text) returns boolean
${inner} as $$
begin
  perform payout_staff_may(staff, array['admin']);
  if payout_owns(array[payout_block_lift.staff], person) then
    raise exception 'a block of their own' using errcode = 'NB025';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('payout-block:' || person, 0));
  update payout_block b set lifted_at = ledger_clock(), lifted_by = payout_block_lift.staff, lifted_because = why
    where b.person_id = person and b.reason = 'by-staff' and b.lifted_at is null;
  return found;
end $$`;

const noneForPublic = `
revoke execute on function payout_own_of(uuid[]), payout_owns(uuid[], uuid) from public`;
