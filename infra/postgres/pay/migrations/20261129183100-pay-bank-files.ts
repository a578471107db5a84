import { Migration } from '@mikro-orm/migrations';

/**
 * Files of payment orders for a bank: a dispatch of many items, whose bytes are kept (docs/adr/0031-a-line-is-matched-exactly-or-by-a-person.md).
 */
export class Migration20261129183100PayBankFiles extends Migration {
  override up(): void {
    for (const sql of [files, kept, unpayable, begin, keep, noneForPublic]) this.addSql(sql);
  }
}

/** Of one file: banks read no more at a time, and a page of their screen shows it. */
const FILE_ITEMS_MAX = 5_000;

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const files = `
-- What finance takes to its bank. A download is these bytes, each time.
create table bank_file (
  dispatch_id uuid primary key references payout_dispatch,
  batch_id uuid not null references payout_batch,
  -- Of its batch, from 1.
  part int not null check (part > 0),
  documents int not null check (documents > 0),
  -- Tiyin.
  total bigint not null check (total > 0),
  sha256 bytea not null check (length(sha256) = 32),
  -- It names people and their accounts.
  content_encrypted bytea not null,
  made_at timestamptz not null,
  unique (batch_id, part)
)`;

const kept = `
create trigger bank_file_kept before delete or truncate or update of dispatch_id, batch_id, part, documents, total, sha256, made_at on bank_file
  for each statement execute function payout_refuse_change()`;

const unpayable = `
-- Why a line is not to be written, as of a dispatch to a card. Null: it may.
create function bank_file_unpayable(dispatch uuid, payout uuid) returns text
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select case
      when p.state <> 'batched' or p.net <> i.net then 'payout-changed'
      when d.id is null or d.removed_at is not null then 'destination-gone'
      when d.distrusted_at is not null then 'destination-distrusted'
      when d.holder_hash <> i.token_hash or d.last4 <> i.last4 then 'destination-changed'
      when d.usable_from > ledger_clock() then 'destination-new'
      when exists (select from payout_block x where x.person_id = p.person_id and x.lifted_at is null and (x.until is null or x.until > ledger_clock())) then 'blocked'
    end
  from payout_item i join payout p on p.id = i.payout_id left join payout_destination d on d.id = p.destination_id
  where i.dispatch_id = bank_file_unpayable.dispatch and i.payout_id = bank_file_unpayable.payout $$`;

const begin = `
-- A dispatch of the next items of a running batch; what may not be paid any more fails. Answers what is to be written. Its caller keeps the
-- file in the same transaction, or nothing of it happened. Two at once wait for each other.
create function bank_file_begin(batch uuid)
returns table (dispatch uuid, n int, payout uuid, net bigint, destination uuid, token_encrypted bytea, name text, purpose text)
${definer} as $$
#variable_conflict use_column
declare
  b payout_batch%rowtype;
  made uuid := uuidv7();
  ready int[];
  total bigint;
  gone record;
begin
  perform ledger_refuse_old_snapshot();
  perform from payout_batch x where x.id = bank_file_begin.batch for no key update;
  select x.* into b from payout_batch x where x.id = bank_file_begin.batch;
  if b.id is null then raise exception 'no such batch' using errcode = 'NB028'; end if;
  if b.rail <> 'bank-file' or b.state <> 'running' then
    raise exception 'it is no running batch of bank files' using errcode = 'NB027', detail = b.state;
  end if;
  perform from rail r where r.id in ('all', 'bank-file') order by r.id for no key update;
  if exists (select from rail r where r.id in ('all', 'bank-file') and r.stopped_at is not null) then
    raise exception 'the rail is stopped' using errcode = 'NB031';
  end if;
  perform from payout_item i where i.batch_id = b.id and i.state = 'ready' order by i.n limit ${FILE_ITEMS_MAX} for no key update;
  select array_agg(r.n order by r.n), sum(r.net) into ready, total
    from (select i.n, i.net from payout_item i where i.batch_id = b.id and i.state = 'ready' order by i.n limit ${FILE_ITEMS_MAX}) r;
  if ready is null then return; end if;
  insert into payout_dispatch (id, project_id, batch_id, rail, amount, items, state, next_at, job_id, made_at, state_at)
    values (made, b.project_id, b.id, 'bank-file', total, cardinality(ready), 'exported', ledger_clock(), uuidv7(), ledger_clock(), ledger_clock());
  update payout_item i set state = 'dispatched', dispatch_id = made where i.batch_id = b.id and i.n = any (ready);
  for gone in
    select u.why, array_agg(u.payout_id order by u.payout_id) payouts
    from (select i.payout_id, bank_file_unpayable(made, i.payout_id) why from payout_item i where i.dispatch_id = made) u
    where u.why is not null group by u.why order by u.why
  loop
    perform payout_end(b.project_id, 'bank-file', gone.payouts, '{}', 'failed', true, 'dispatch', gone.why);
  end loop;
  return query
    select made, i.n, i.payout_id, i.net, d.id, d.token_encrypted, coalesce(d.holder_name::text, p.payee_name::text, ''), coalesce(p.purpose::text, '')
    from payout_item i join payout p on p.id = i.payout_id join payout_destination d on d.id = p.destination_id
    where i.dispatch_id = made and i.state = 'dispatched' order by i.n;
end $$`;

const keep = `
-- The file of a dispatch, once: as many documents, and as much money, as its open items have.
create function bank_file_keep(dispatch uuid, of_documents int, of_total bigint, hash bytea, content bytea) returns int
${definer} as $$
declare
  d payout_dispatch%rowtype;
  open_items int;
  open_total bigint;
  number int;
begin
  perform ledger_refuse_old_snapshot();
  select x.* into d from payout_dispatch x where x.id = bank_file_keep.dispatch;
  if d.id is null or d.state <> 'exported' then raise exception 'no such dispatch' using errcode = 'NB028'; end if;
  select count(*), sum(i.net) into open_items, open_total from payout_item i where i.dispatch_id = d.id and i.state = 'dispatched';
  if (of_documents, of_total) is distinct from (open_items, open_total) then
    raise exception 'the file is not of these items' using errcode = 'NB024';
  end if;
  select coalesce(max(f.part), 0) + 1 into number from bank_file f where f.batch_id = d.batch_id;
  insert into bank_file (dispatch_id, batch_id, part, documents, total, sha256, content_encrypted, made_at)
    values (d.id, d.batch_id, number, of_documents, of_total, hash, content, ledger_clock());
  return number;
end $$`;

const noneForPublic = `
revoke execute on function
  bank_file_unpayable(uuid, uuid), bank_file_begin(uuid), bank_file_keep(uuid, int, bigint, bytea, bytea)
from public`;
