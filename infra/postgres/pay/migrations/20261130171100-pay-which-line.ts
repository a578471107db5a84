import { Migration } from '@mikro-orm/migrations';

/**
 * What adds, submits or approves says which payout, and which line, it was refused for: of 5 000 payouts a call, and of 100 000 lines, nobody
 * finds the one that its reason is of. The functions are those of `20261129180200-pay-batches.ts`, with hints.
 */
export class Migration20261130171100PayWhichLine extends Migration {
  override up(): void {
    for (const sql of [of, screen, add, noneForPublic]) this.addSql(sql);
  }
}

/** As in `20261129180200-pay-batches.ts`. */
const ADDED_MAX = 5_000;
const BATCH_ITEMS_MAX = '100000';
const BATCH_TOTAL_MAX = '100000000000';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;
const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const answer = `table (state text, version int, count int, total bigint, content_hash bytea)`;

const of = `
-- As infra/postgres/pay/money-faults.ts reads it.
create function payout_refused_of(payout uuid, line int default null) returns text
language sql immutable set search_path = pg_catalog, public, pg_temp as $$
  select jsonb_strip_nulls(jsonb_build_object('payout_id', payout, 'line', line))::text $$`;

const screen = `
-- Raises where a line may not be paid now, or is not what its payout and its card say: the first, by its number and its payout in the hint.
create or replace function payout_batch_screen(batch uuid) returns void
${inner} as $$
declare
  wrong record;
begin
  select i.n, i.payout_id,
         case
           when p.state <> 'batched' or p.net <> i.net or p.rail <> b.rail or d.holder_hash <> i.token_hash or d.last4 <> i.last4
             or (p.person_id, p.phone) is distinct from (i.person_id, i.phone) then 'differs'
           when d.removed_at is not null or d.distrusted_at is not null then 'destination-gone'
           when d.usable_from > ledger_clock() then 'destination-new'
           else 'blocked' end as because
    into wrong
    from payout_batch b join payout_item i on i.batch_id = b.id join payout p on p.id = i.payout_id join payout_destination d on d.id = p.destination_id
    where b.id = batch and i.state <> 'dropped'
      and (p.state <> 'batched' or p.net <> i.net or p.rail <> b.rail or d.holder_hash <> i.token_hash or d.last4 <> i.last4
        or (p.person_id, p.phone) is distinct from (i.person_id, i.phone)
        or d.removed_at is not null or d.distrusted_at is not null or d.usable_from > ledger_clock()
        or exists (select from payout_block x where x.person_id = i.person_id and x.lifted_at is null and (x.until is null or x.until > ledger_clock())))
    order by i.n limit 1;
  if wrong.because = 'differs' then
    raise exception 'line % is not what its payout says', wrong.n using errcode = 'NB024', detail = wrong.n::text, hint = payout_refused_of(wrong.payout_id, wrong.n);
  elsif wrong.because is not null then
    raise exception 'line % can not be paid', wrong.n using errcode = 'NB011', detail = wrong.because, hint = payout_refused_of(wrong.payout_id, wrong.n);
  end if;
end $$`;

const add = `
-- In the order that they are given. All or none: the first that can't be paid is told by NB010, NB011 or NB028, with its id in the hint.
create or replace function batch_add(batch uuid, of_version int, staff uuid, payouts uuid[])
returns ${answer}
${definer} as $$
#variable_conflict use_column
declare
  b constant payout_batch := payout_batch_begin(batch, of_version, staff, array['finance'], array['draft']);
  wrong record;
  last_n int;
  added bigint;
begin
  if coalesce(cardinality(payouts), 0) not between 1 and ${ADDED_MAX} then
    raise exception 'one to ${ADDED_MAX} payouts a call' using errcode = 'NB004';
  end if;
  perform from payout p where p.id = any (payouts) order by p.id for no key update;
  select u.id, p.state, p.id is null or p.project_id <> b.project_id as unknown,
         case
           when p.rail <> b.rail or d.removed_at is not null or d.distrusted_at is not null then 'destination-gone'
           when d.usable_from > ledger_clock() then 'destination-new'
           when exists (select from payout_block x where x.person_id = p.person_id and x.lifted_at is null and (x.until is null or x.until > ledger_clock())) then 'blocked'
         end as because
    into wrong
    from unnest(payouts) with ordinality u(id, place)
    left join payout p on p.id = u.id
    left join payout_destination d on d.id = p.destination_id
    where p.id is null or p.project_id <> b.project_id or p.state <> 'pending' or p.rail <> b.rail
       or d.removed_at is not null or d.distrusted_at is not null or d.usable_from > ledger_clock()
       or exists (select from payout_block x where x.person_id = p.person_id and x.lifted_at is null and (x.until is null or x.until > ledger_clock()))
    order by u.place limit 1;
  if wrong.unknown then
    raise exception 'no payout %', wrong.id using errcode = 'NB028', hint = payout_refused_of(wrong.id);
  elsif wrong.state <> 'pending' then
    raise exception 'payout % is %', wrong.id, wrong.state using errcode = 'NB010', detail = wrong.state, hint = payout_refused_of(wrong.id);
  elsif wrong.because is not null then
    raise exception 'payout % can not be paid', wrong.id using errcode = 'NB011', detail = wrong.because, hint = payout_refused_of(wrong.id);
  end if;
  select coalesce(max(i.n), 0) into last_n from payout_item i where i.batch_id = b.id;
  select sum(p.net) into added from payout p where p.id = any (payouts);
  if b.count + cardinality(payouts) > ${BATCH_ITEMS_MAX} or b.total + added > ${BATCH_TOTAL_MAX} then
    raise exception 'more than a batch holds' using errcode = 'NB011', detail = 'above-limit';
  end if;
  -- The same payout twice in one call breaks payout_item_once.
  begin
    insert into payout_item (batch_id, n, payout_id, net, token_hash, last4, person_id, phone)
      select b.id, last_n + u.place, p.id, p.net, d.holder_hash, d.last4, p.person_id, p.phone
      from unnest(payouts) with ordinality u(id, place) join payout p on p.id = u.id join payout_destination d on d.id = p.destination_id;
  exception when unique_violation then
    raise exception 'a payout stands in one batch, once' using errcode = 'NB010', detail = 'batched', hint = payout_refused_of(
      (select u.id from unnest(payouts) u(id) group by u.id having count(*) > 1 limit 1));
  end;
  update payout p set state = 'batched' where p.id = any (payouts);
  update payout_batch x set count = x.count + cardinality(payouts), total = x.total + added, version = x.version + 1 where x.id = b.id;
  return query select e.* from payout_batch_end(b, staff, 'add') e;
end $$`;

const noneForPublic = `
revoke execute on function payout_refused_of(uuid, int) from public`;
