import { Migration } from '@mikro-orm/migrations';

/** What money keeps of people: when a person is paid nothing, and how each of their requests was answered. */
export class Migration20261129150500PayPeople extends Migration {
  override up(): void {
    for (const sql of [
      blocks,
      blocksAreKept,
      lostPhone,
      answersHoldNoCard,
      requests,
      requestsAreKept,
      answers,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

const blocks = `
-- While one is in force its person is paid nothing. Kept when it has ended: it is why a payment waited. No foreign key on the person,
-- whose row another context may delete.
create table payout_block (
  id uuid primary key default uuidv7(),
  person_id uuid not null,
  reason text not null check (reason ~ '^[a-z-]{1,40}$'),
  -- Null: until somebody lifts it.
  until timestamptz,
  -- Who made it: a member of staff. Null: what happened did.
  by uuid,
  made_at timestamptz not null,
  lifted_at timestamptz,
  lifted_by uuid,
  lifted_because text check (length(lifted_because) between 1 and 500 and not holds_card_number(lifted_because)),
  check (until > made_at),
  check (num_nulls(lifted_at, lifted_by, lifted_because) in (0, 3))
);
create index payout_block_person on payout_block (person_id, made_at)`;

const blocksAreKept = `
create function payout_block_kept() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  raise exception '% on payout_block: a block is lifted once, and nothing else of it changes', lower(tg_op) using errcode = 'NB009';
end $$;
create trigger payout_block_kept before delete or truncate or update of id, person_id, reason, until, by, made_at on payout_block
  for each statement execute function payout_block_kept();
create trigger payout_block_lifted_once before update on payout_block for each row
  when (old.lifted_at is not null) execute function payout_block_kept()`;

/**
 * The hook on identity's `person_phone`. A phone changes hands in one way, by an update of its row (`movePhone`), and is lost with its
 * person in another (`on delete cascade`). It runs as the owner: who may write of phones may not write of money.
 */
const lostPhone = `
-- Whoever has somebody's phone can prove to be them. Three days are for the person to notice and say so.
create function payout_block_lost_phone() returns trigger
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
  insert into payout_block (person_id, reason, until, made_at)
    values (old.person_id, 'phone-lost', navbat_now() + interval '72 hours', navbat_now());
  return null;
end $$;
create trigger payout_block_moved_phone after update of person_id, phone on person_phone for each row
  when (old.person_id is distinct from new.person_id or old.phone is distinct from new.phone)
  execute function payout_block_lost_phone();
create trigger payout_block_deleted_phone after delete on person_phone for each row execute function payout_block_lost_phone()`;

/**
 * String by string: numbers that stand side by side are no number of a card. Amounts are asked too, since none can be refused: in tiyin the
 * largest has 15 digits, the first of them a 1.
 */
const answersHoldNoCard = String.raw`
create function answer_holds_card_number(answer json) returns boolean
language sql immutable strict parallel safe set search_path = pg_catalog, public, pg_temp as $$
  select exists (select from regexp_matches(answer::text, '("(?:[^"\\]|\\.)*")', 'g') m where holds_card_number(m[1])) $$`;

const requests = `
-- What a person asked of their money under an Idempotency-Key, and how it was answered: for ever, so that no repeat, however late, moves
-- money again. The key is the person's own: nobody else's request is answered by it.
create table money_request (
  project_id uuid not null,
  person_id uuid not null,
  key text not null check (key ~ '^[!-~]{1,255}$' and not holds_card_number(key)),
  body_hash bytea not null check (length(body_hash) = 32),
  -- Both are null only inside the transaction that asks.
  status int check (status between 200 and 499),
  -- Not jsonb, which would give its members another order than the first answer had.
  answer json check (not answer_holds_card_number(answer)),
  at timestamptz not null,
  primary key (project_id, person_id, key),
  check ((status is null) = (answer is null))
)`;

const requestsAreKept = `
create function money_request_kept() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  raise exception '% on money_request: a request is answered once, and kept', lower(tg_op) using errcode = 'NB009';
end $$;
create trigger money_request_kept before delete or truncate or update of project_id, person_id, key, body_hash, at on money_request
  for each statement execute function money_request_kept();
create trigger money_request_answered_once before update on money_request for each row
  when (old.status is not null) execute function money_request_kept();

-- Asked as the transaction commits: what is left without an answer would be answered with nothing for ever.
create function money_request_is_answered() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if exists (select from money_request r where (r.project_id, r.person_id, r.key) = (new.project_id, new.person_id, new.key) and r.status is null) then
    raise exception 'a request about money has no answer' using errcode = 'NB004';
  end if;
  return null;
end $$;
create function money_request_begins() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  perform ledger_refuse_old_snapshot();
  return null;
end $$;
create trigger money_request_begins before insert on money_request for each statement execute function money_request_begins();
create constraint trigger money_request_is_answered after insert on money_request deferrable initially deferred
  for each row execute function money_request_is_answered();
create constraint trigger money_request_durable after insert on money_request deferrable initially deferred
  for each row execute function ledger_refuse_async()`;

const answers = `
-- In the transaction that inserted it, and once: the role that runs may not update the table.
create function money_request_answer(project uuid, person uuid, of_key text, with_status int, with_answer json) returns void
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform ledger_refuse_old_snapshot();
  update money_request r set status = with_status, answer = with_answer
    where (r.project_id, r.person_id, r.key) = (project, person, of_key);
  if not found then raise exception 'no such request' using errcode = 'NB003'; end if;
end $$`;

const noneForPublic = `
revoke execute on function
  payout_block_kept(), payout_block_lost_phone(), money_request_kept(), money_request_begins(), money_request_is_answered(), answer_holds_card_number(json),
  money_request_answer(uuid, uuid, text, int, json)
from public`;
