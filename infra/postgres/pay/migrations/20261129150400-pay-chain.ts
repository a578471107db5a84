import { Migration } from '@mikro-orm/migrations';

/** Transfers are closed into a chain of blocks, and each day of Tashkent ends with a head that is signed and leaves the house. */
export class Migration20261129150400PayChain extends Migration {
  override up(): void {
    for (const sql of [tables, kept, durable, close, dayEnd, days, sendings, rights]) this.addSql(sql);
  }
}

const tables = `
-- The row that a closing worker locks, so that others pass by. An advisory lock could be taken by whoever may connect.
create table ledger_head (
  project_id uuid primary key references ledger_book,
  k bigint not null default 0,
  n_to bigint not null default 0,
  hash bytea not null
);
create table ledger_block (
  project_id uuid not null references ledger_book,
  k bigint not null,
  -- The last transfer in it. A block holds transfers of one day of Tashkent.
  n_to bigint not null,
  -- The first four bytes of each transfer's hash, in order: they name the transfer that differs.
  leaves bytea not null,
  hash bytea not null,
  closed_at timestamptz not null,
  primary key (project_id, k),
  unique (project_id, n_to)
);
create table ledger_day (
  project_id uuid not null references ledger_book,
  -- Endless days, and such as no calendar of this book has, would stop whoever counts from one to the next.
  day date not null check (day between '2020-01-01' and '2199-12-31'),
  k bigint not null,
  n_to bigint not null,
  -- By class: credits less debits since the book began, in micros, as strings.
  totals jsonb not null,
  head bytea not null,
  -- A compact JWS. It goes into one message of a chat, which takes 4096 signs.
  jws text not null check (octet_length(jws) <= 3900 and jws ~ '^[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+$'),
  chat_sent_at timestamptz,
  witness_sent_at timestamptz,
  primary key (project_id, day)
);
create index ledger_day_unsent on ledger_day (day) where chat_sent_at is null or witness_sent_at is null;
-- When a head that was not accepted is sent again.
create table ledger_day_sending (
  project_id uuid not null,
  day date not null,
  sink text not null check (sink in ('chat', 'witness')),
  tries int not null,
  due_at timestamptz not null,
  primary key (project_id, day, sink),
  foreign key (project_id, day) references ledger_day
)`;

const kept = `
create function ledger_chain_kept() returns trigger language plpgsql as $$
begin
  raise exception 'the chain is never changed' using errcode = 'NB009';
end $$;
create trigger ledger_block_kept before update or delete on ledger_block for each row execute function ledger_chain_kept();
create trigger ledger_block_kept_whole before truncate on ledger_block for each statement execute function ledger_chain_kept();
create trigger ledger_head_kept before delete on ledger_head for each row execute function ledger_chain_kept();
create trigger ledger_head_kept_whole before truncate on ledger_head for each statement execute function ledger_chain_kept();
create trigger ledger_day_kept before delete on ledger_day for each row execute function ledger_chain_kept();
create trigger ledger_day_kept_whole before truncate on ledger_day for each statement execute function ledger_chain_kept();
-- When it was sent is written once; nothing else of a day changes.
create trigger ledger_day_kept_same before update on ledger_day for each row
  when ((new.project_id, new.day, new.k, new.n_to, new.totals, new.head, new.jws)
      is distinct from (old.project_id, old.day, old.k, old.n_to, old.totals, old.head, old.jws)
    or old.chat_sent_at is not null and new.chat_sent_at is distinct from old.chat_sent_at
    or old.witness_sent_at is not null and new.witness_sent_at is distinct from old.witness_sent_at)
  execute function ledger_chain_kept()`;

/** As of the book: a crash must not take back a block whose head was sent. */
const durable = `
create constraint trigger ledger_block_durable after insert on ledger_block deferrable initially deferred
  for each row execute function ledger_refuse_async();
create constraint trigger ledger_day_durable after insert or update on ledger_day deferrable initially deferred
  for each row execute function ledger_refuse_async();
-- What claims a head flushes all that was committed before it, the head and its blocks too.
create constraint trigger ledger_day_sending_durable after insert or update on ledger_day_sending deferrable initially deferred
  for each row execute function ledger_refuse_async()`;

/**
 * hash(k) = sha256(hash(k-1) ‖ k ‖ n_to ‖ closed_at ‖ sha256(all row hashes)). A row hash covers each column of the transfer, and the
 * class, owner, rail, floor and ceiling of both accounts; what may be null or has no fixed length is told apart by a length in front of it. The
 * expression is written here and in `verify.ts`: as a function of the row it is six times slower, and the database's owner could
 * replace what verifies.
 */
const close = `
create function ledger_close(book uuid, blocks int, force boolean) returns int
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  rows_max constant int := 1000;
  -- Of one call, which holds the head: two seconds.
  blocks_max constant int := 1000;
  at constant timestamptz := navbat_now();
  h ledger_head; top bigint; upto bigint; day_ends timestamptz; last_of_day bigint;
  digest bytea; short bytea; found_rows bigint; made int := 0;
begin
  perform ledger_refuse_old_snapshot();
  if not exists (select from ledger_head where project_id = book) then
    insert into ledger_head (project_id, hash)
      select b.project_id, sha256('navbat-ledger-1'::bytea || uuid_send(b.project_id)) from ledger_book b where b.project_id = book
      on conflict do nothing;
  end if;
  select * into h from ledger_head where project_id = book for update skip locked;
  if not found then return 0; end if;
  -- Dense, and committed with their transfers: no lock is needed.
  select next_n - 1 into top from ledger_book where project_id = book;
  while made < least(blocks, blocks_max) and h.n_to < top loop
    select ((posted_at at time zone 'Asia/Tashkent')::date + 1)::timestamp at time zone 'Asia/Tashkent' into day_ends
      from ledger_transfer where project_id = book and n = h.n_to + 1;
    upto := least(h.n_to + rows_max, top);
    select min(n) - 1 into last_of_day from ledger_transfer
      where project_id = book and n > h.n_to and n <= upto and posted_at >= day_ends;
    exit when not force and last_of_day is null and upto - h.n_to < rows_max;
    upto := coalesce(last_of_day, upto);
    select sha256(string_agg(x.leaf, ''::bytea order by x.n)), string_agg(substr(x.leaf, 1, 4), ''::bytea order by x.n), count(*)
      into digest, short, found_rows
      from (
        select t.n, sha256(uuid_send(t.project_id) || int8send(t.n)
          || int4send(octet_length(t.key::text)) || convert_to(t.key::text, 'UTF8') || int4send(octet_length(t.kind::text)) || convert_to(t.kind::text, 'UTF8')
          || int8send(t.debit) || int8send(t.credit) || int8send(t.amount) || int8send(t.debit_after) || int8send(t.credit_after)
          || coalesce('\\x01'::bytea || uuid_send(t.subject_id), '\\x00'::bytea)
          || timestamptz_send(t.event_at) || timestamptz_send(t.posted_at)
          || int4send(octet_length(t.actor::text)) || convert_to(t.actor::text, 'UTF8')
          || int4send(octet_length(d.class::text)) || convert_to(d.class::text, 'UTF8') || coalesce('\\x01'::bytea || uuid_send(d.owner), '\\x00'::bytea)
          || coalesce(int4send(octet_length(d.rail::text)) || convert_to(d.rail::text, 'UTF8'), '\\xffffffff'::bytea)
          || coalesce('\\x01'::bytea || int8send(d.floor), '\\x00'::bytea) || coalesce('\\x01'::bytea || int8send(d.ceiling), '\\x00'::bytea)
          || int4send(octet_length(c.class::text)) || convert_to(c.class::text, 'UTF8') || coalesce('\\x01'::bytea || uuid_send(c.owner), '\\x00'::bytea)
          || coalesce(int4send(octet_length(c.rail::text)) || convert_to(c.rail::text, 'UTF8'), '\\xffffffff'::bytea)
          || coalesce('\\x01'::bytea || int8send(c.floor), '\\x00'::bytea) || coalesce('\\x01'::bytea || int8send(c.ceiling), '\\x00'::bytea)) as leaf
        from ledger_transfer t
        -- Limited: on a table that was never analysed a join reads all of it.
        cross join lateral (select a.class, a.owner, a.rail, a.floor, a.ceiling from ledger_account a where a.id = t.debit and a.project_id = book limit 1) d
        cross join lateral (select a.class, a.owner, a.rail, a.floor, a.ceiling from ledger_account a where a.id = t.credit and a.project_id = book limit 1) c
        where t.project_id = book and t.n > h.n_to and t.n <= upto
        -- Kept apart: merged into the statement around it, each hash would be made twice.
        offset 0) x;
    if found_rows <> upto - h.n_to or day_ends is null then
      raise exception 'a transfer is missing after % in book %', h.n_to, book using errcode = 'NB008';
    end if;
    h.k := h.k + 1;
    h.n_to := upto;
    h.hash := sha256(h.hash || int8send(h.k) || int8send(h.n_to) || timestamptz_send(at) || digest);
    insert into ledger_block (project_id, k, n_to, leaves, hash, closed_at) values (book, h.k, h.n_to, short, h.hash, at);
    made := made + 1;
  end loop;
  if made > 0 then
    update ledger_head set k = h.k, n_to = h.n_to, hash = h.hash where project_id = book;
  end if;
  return made;
end $$`;

/**
 * What a day of Tashkent ended with. No row while the day is not over, or its last transfers are in no block yet; nor where it is not
 * the day after the last one signed, or the book's first: that of its first transfer, or yesterday where it has none.
 */
const dayEnd = `
create function ledger_day_end(book uuid, of date) returns table (k bigint, n_to bigint, head bytea, totals jsonb)
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  ends constant timestamptz := (of + 1)::timestamp at time zone 'Asia/Tashkent';
  b record; h record; last_day record; next_day date;
begin
  perform ledger_refuse_old_snapshot();
  if navbat_now() < ends then return; end if;
  -- A transfer bears the time at which its transaction began, which may have waited for this lock: from here on none is of that day.
  select next_n - 1 as top, posted_at into b from ledger_book where project_id = book for no key update;
  if not found then raise exception 'no such book' using errcode = 'NB003'; end if;
  select d.day, d.n_to, d.totals into last_day from ledger_day d where d.project_id = book order by d.day desc limit 1;
  -- As in the statement that tells the worker which day is next. Here it is the database's own word, so that nobody names another.
  next_day := coalesce(
    last_day.day + 1,
    (select (t.posted_at at time zone 'Asia/Tashkent')::date from ledger_transfer t where t.project_id = book and t.n = 1),
    (navbat_now() at time zone 'Asia/Tashkent')::date - 1);
  if of is distinct from next_day then return; end if;
  if b.posted_at < ends then update ledger_book set posted_at = ends where project_id = book; end if;
  select x.k, x.n_to, x.hash into h from ledger_block x
    join lateral (select posted_at from ledger_transfer t where t.project_id = book and t.n = x.n_to limit 1) t on t.posted_at < ends
    where x.project_id = book order by x.k desc limit 1;
  if not found then
    select 0::bigint as k, 0::bigint as n_to, sha256('navbat-ledger-1'::bytea || uuid_send(book)) as hash into h;
  end if;
  if h.n_to < b.top
      and not exists (select from ledger_transfer t where t.project_id = book and t.n = h.n_to + 1 and t.posted_at >= ends) then
    return;
  end if;
  return query
    select h.k, h.n_to, h.hash, coalesce(jsonb_object_agg(s.class, s.micros::text), '{}')
    from (
      select m.class, sum(m.micros) as micros
      from (
        select e.key as class, e.value::numeric as micros from jsonb_each_text(last_day.totals) e
        union all
        select a.class, e.micros from ledger_transfer t
          cross join lateral (values (t.debit, -t.amount), (t.credit, t.amount)) e (id, micros)
          join ledger_account a on a.id = e.id
          where t.project_id = book and t.n > coalesce(last_day.n_to, 0) and t.n <= h.n_to) m
      group by m.class) s;
end $$`;

const days = `
-- The facts are the database's own; of the caller is the signature alone. False where the day has its row, or is not the next.
create function ledger_day_write(book uuid, of date, signed text) returns boolean
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'
as $$
begin
  insert into ledger_day (project_id, day, k, n_to, totals, head, jws)
    select book, of, s.k, s.n_to, s.totals, s.head, signed from ledger_day_end(book, of) s
    on conflict do nothing;
  return found;
end $$;
create function ledger_day_sent(book uuid, of date, sink text) returns void
language sql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'
as $$
  update ledger_day set chat_sent_at = case when sink = 'chat' then coalesce(chat_sent_at, navbat_now()) else chat_sent_at end,
    witness_sent_at = case when sink = 'witness' then coalesce(witness_sent_at, navbat_now()) else witness_sent_at end
  where project_id = book and day = of
$$`;

const sendings = `
-- The newest head that was not accepted and is due, for one caller: others find it due again later, also where this one was killed.
create function ledger_day_claim(sink text)
returns table (project_id uuid, day text, n_to text, jws text)
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'
as $$
#variable_conflict use_column
declare
  -- Older heads are not sent any more: each newer one covers them.
  days constant int := 31;
  -- Longer than a sending may take, so that nobody else begins it again while it lasts; doubled after each, up to an hour.
  pause_seconds constant int := 20;
  pause_seconds_max constant int := 3600;
  at constant timestamptz := navbat_now();
  d record;
begin
  select x.project_id, x.day, x.n_to, x.jws into d
  from ledger_day x
  where case sink when 'chat' then x.chat_sent_at else x.witness_sent_at end is null
    and x.day >= (at at time zone 'Asia/Tashkent')::date - days
    and not exists (select from ledger_day_sending s where s.project_id = x.project_id and s.day = x.day and s.sink = ledger_day_claim.sink and s.due_at > at)
  order by x.day desc, x.project_id limit 1
  for update skip locked;
  if not found then return; end if;
  insert into ledger_day_sending as s (project_id, day, sink, tries, due_at)
    values (d.project_id, d.day, sink, 1, at + make_interval(secs => pause_seconds))
    on conflict (project_id, day, sink) do update set tries = s.tries + 1,
      due_at = at + make_interval(secs => least(pause_seconds_max, pause_seconds * 2 ^ least(s.tries, 20)))
    -- Above, it was read as it was before the lock: whoever held that lock has claimed it meanwhile.
    where s.due_at <= at;
  if not found then return; end if;
  return query select d.project_id, d.day::text, d.n_to::text, d.jws;
end $$`;

const rights = `
revoke execute on function ledger_close(uuid, int, boolean), ledger_day_end(uuid, date), ledger_day_write(uuid, date, text),
  ledger_day_sent(uuid, date, text), ledger_day_claim(text), ledger_chain_kept() from public`;
