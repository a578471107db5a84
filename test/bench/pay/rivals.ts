/**
 * What `ledger_post` is held against: tables of the same columns, checks and indexes, without its triggers, and the quickest way we know
 * to write one transfer a transaction into them. It numbers by a sequence, which leaves gaps and waits for nobody, and asks for no
 * repeat, move or refusal but those that a constraint refuses.
 */
export const rivals = [
  'create table rival_account (like ledger_account including all)',
  'create table rival_transfer (like ledger_transfer including all)',
  'create sequence rival_n',
  `
create function rival_post(book uuid, key text, debit bigint, credit bigint, amount bigint, subject uuid, event_at timestamptz, actor text)
returns bigint language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  debit_after bigint; credit_after bigint;
begin
  perform from rival_account a where a.id in (debit, credit) order by a.id for no key update;
  update rival_account a set balance = a.balance - amount, version = a.version + 1 where a.id = debit returning a.balance into debit_after;
  update rival_account a set balance = a.balance + amount, version = a.version + 1 where a.id = credit returning a.balance into credit_after;
  insert into rival_transfer (project_id, n, key, kind, debit, credit, amount, debit_after, credit_after, subject_id, event_at, posted_at, actor)
    values (book, nextval('rival_n'), key, 'earn', debit, credit, amount, debit_after, credit_after, subject, event_at, clock_timestamp(), actor);
  return debit_after;
end $$`,
  // The role that runs owns none of them.
  'grant insert on rival_transfer to public',
  'grant select, update on rival_account to public',
  'grant usage on sequence rival_n to public',
  'grant execute on function rival_post(uuid, text, bigint, bigint, bigint, uuid, timestamptz, text) to public',
] as const;

export const rivalAccounts = `
insert into rival_account overriding system value
  select id, project_id, class, owner, rail, balance, floor, ceiling, version from ledger_account where project_id = $1`;

/** Up to a number of the book, from behind the last that was copied. */
export const copyTransfers = `
insert into rival_transfer (project_id, n, key, kind, debit, credit, amount, debit_after, credit_after, subject_id, event_at, posted_at, actor)
  select project_id, nextval('rival_n'), key, kind, debit, credit, amount, debit_after, credit_after, subject_id, event_at, posted_at, actor
  from ledger_transfer where project_id = $1 and n > $2 and n <= $3`;

export const insertMany = `
insert into rival_transfer (project_id, n, key, kind, debit, credit, amount, debit_after, credit_after, subject_id, event_at, posted_at, actor)
  select $1, nextval('rival_n'), t.key, t.kind, t.debit, t.credit, t.amount, -1, 1, t.subject, t.event_at, clock_timestamp(), t.actor
  from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[], $8::timestamptz[], $9::text[])
    t(key, kind, debit, credit, amount, subject, event_at, actor)`;

export const postMany = `
select count(*) filter (where state = 'posted')::int posted from ledger_post($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

export const postOne = 'select rival_post($1, $2, $3, $4, $5, $6, $7, $8)';

/** The same as rival_post, as a program writes it without a function: each statement is a round trip while both rows are locked. */
export const lockBoth = {
  name: 'lock-both',
  text: 'select id from rival_account where id = any($1) order by id for no key update',
} as const;
export const moveBalance = {
  name: 'move-balance',
  text: 'update rival_account set balance = balance + $2, version = version + 1 where id = $1 returning balance',
} as const;
export const insertOne = {
  name: 'insert-one',
  text: `
insert into rival_transfer (project_id, n, key, kind, debit, credit, amount, debit_after, credit_after, subject_id, event_at, posted_at, actor)
  values ($1, nextval('rival_n'), $2, 'earn', $3, $4, $5, $9, $10, $6, $7, clock_timestamp(), $8)`,
} as const;
