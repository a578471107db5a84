import type pg from 'pg';
import {
  type ExplainedRow,
  type Part,
  PARTS,
  type PaymentExplanation,
  type PaymentName,
} from '../../../../domain/pay/explain/explain.ts';
import type { ReadHead } from '../../../../domain/pay/ledger/head.ts';
import { maskPhone } from '../../../../domain/shared/phone.ts';
import { visibleLine } from '../../../../domain/shared/visible-line.ts';
import { proveTransfers } from '../ledger/prove-transfers.ts';
import { inSnapshot } from '../ledger/snapshot.ts';

/** A file of a bank pays thousands: whoever asks for it is shown so many of them. */
const PAYOUTS_MAX = 20;
/** Transfers that filled the account before the hold: the newest say where its money came from. */
const SOURCES_MAX = 5;

/** Every row that says something of a payment, in one snapshot; null where nothing is named so. */
export const explainPayment = (
  pool: pg.Pool,
  name: PaymentName,
  readHead: ReadHead,
): Promise<PaymentExplanation | null> =>
  inSnapshot(pool, async (db) => {
    const found = await findPayouts(db, name);
    const payouts = found.slice(0, PAYOUTS_MAX);
    if (payouts.length === 0) return null;
    const { rows: items } = await db.query<ItemRow>(readItems, [payouts]);
    const told = await readRows(db, {
      payouts,
      batches: [...new Set(items.map(({ batch }) => batch))],
      dispatches: [...new Set(items.flatMap(({ dispatch }) => dispatch ?? []))],
    });
    const rows = await withChain(db, told, readHead);
    return { payouts, more: found.length > PAYOUTS_MAX, rows };
  });

async function withChain(
  db: pg.PoolClient,
  rows: readonly ExplainedRow[],
  readHead: ReadHead,
): Promise<readonly ExplainedRow[]> {
  const transfers = rows.filter(({ table }) => table === 'ledger_transfer').map(({ key }) => key);
  const [{ project_id: book } = {}] = transfers;
  if (book === undefined) return rows;
  const proofs = await proveTransfers(
    db,
    String(book),
    transfers.map(({ n }) => String(n)),
    readHead,
  );
  return rows.map((row) => {
    const { n } = row.key;
    return row.table === 'ledger_transfer' ? { ...row, chain: proofs.get(String(n)) ?? null } : row;
  });
}

async function findPayouts(db: pg.PoolClient, name: PaymentName): Promise<readonly string[]> {
  const { rows } =
    name.kind === 'item'
      ? await db.query<{ id: string }>(findByItem, [name.batch, name.n])
      : name.kind === 'id'
        ? await db.query<{ id: string }>(findById, [name.text, PAYOUTS_MAX + 1])
        : await db.query<{ id: string }>(findByReference, [name.text, PAYOUTS_MAX + 1]);
  return rows.map(({ id }) => id);
}

const findByItem = `
select i.payout_id as id from public.payout_item i where i.batch_id = $1 and i.n = $2`;

const findById = `
select x.id from (
  select p.id from public.payout p where p.id = $1
  union
  select i.payout_id from public.payout_item i where i.dispatch_id = $1
  union
  select i.payout_id from public.payout_dispatch d join public.payout_item i on i.dispatch_id = d.id
  where d.rail = any (array(select r.id from public.rail r)) and d.rail_uuid = $1::uuid::text) x
order by x.id limit $2`;

const findByReference = `
select x.id from (
  select i.payout_id as id from public.rail_call c join public.payout_item i on i.dispatch_id = c.dispatch_id where c.reference = $1
  union
  select i.payout_id from public.payout_dispatch d join public.payout_item i on i.dispatch_id = d.id where d.reference = $1
  union
  select i.payout_id from public.payout_dispatch d join public.payout_item i on i.dispatch_id = d.id
  where d.rail = any (array(select r.id from public.rail r)) and d.rail_uuid = $1) x
order by x.id limit $2`;

interface ItemRow {
  readonly batch: string;
  readonly dispatch: string | null;
}

/** Said twice of the state, so that both of its indexes find them. */
const readItems = `
select i.batch_id as batch, i.dispatch_id as dispatch from public.payout_item i
where i.payout_id = any ($1::uuid[]) and i.state not in ('dropped', 'failed')
union
select i.batch_id, i.dispatch_id from public.payout_item i where i.payout_id = any ($1::uuid[]) and i.state in ('dropped', 'failed')`;

interface Named {
  readonly payouts: readonly string[];
  readonly batches: readonly string[];
  readonly dispatches: readonly string[];
}

interface TellingRow {
  readonly table: string;
  readonly key: Readonly<Record<string, string | number>>;
  readonly at: Date | null;
  readonly says: string;
  readonly phone: string | null;
}

async function readRows(
  db: pg.PoolClient,
  { payouts, batches, dispatches }: Named,
): Promise<readonly ExplainedRow[]> {
  const parts: Record<Part, readonly TellingRow[]> = {
    asked: (await db.query<TellingRow>(readAsked, [payouts])).rows,
    hands: (await db.query<TellingRow>(readHands, [payouts, batches, dispatches])).rows,
    calls: (await db.query<TellingRow>(readCalls, [payouts, dispatches])).rows,
    statement: (await db.query<TellingRow>(readStatements, [payouts, dispatches])).rows,
    money: (await db.query<TellingRow>(readMoney, [payouts, dispatches, SOURCES_MAX])).rows,
  };
  return PARTS.flatMap((part) =>
    parts[part].map(({ phone, says, ...row }) => ({
      part,
      ...row,
      // What a customer or a rail wrote is shown on one line, and moves no cursor.
      says: visibleLine(phone === null ? says : `${says}, phone ${maskPhone(phone)}`),
    })),
  );
}

const readAsked = `
with p as (select * from public.payout where id = any ($1::uuid[]))
select x."table", x.key, x.at, x.says, x.phone from (
  select 'payout_list' as "table", jsonb_build_object('id', l.id) as key, l.at as at, null::text as phone,
    concat_ws(', ', 'list ' || l.name, l.lines || ' lines', round(l.total / 100.0, 2) || ' UZS', 'paid by project ' || l.funder, 'imported by ' || s.email,
      'file ' || encode(l.sha256, 'hex')) as says
  from public.payout_list l join public.staff s on s.id = l.imported_by where l.id in (select list_id from p)
  union all
  select 'payout_list_import', jsonb_build_object('project_id', m.project_id, 'staff_id', m.staff_id, 'key', m.key), l.at, null, 'the request that imported it'
  from public.payout_list_import m join public.payout_list l on l.id = m.list_id where m.list_id in (select list_id from p)
  union all
  select 'payout', jsonb_build_object('id', p.id), p.created_at, p.phone,
    concat_ws(', ', p.source, p.state, p.reason, round(p.gross / 100.0, 2) || ' UZS', 'fee ' || round(p.fee / 100.0, 2), 'leaves ' || round(p.net / 100.0, 2),
      'of ' || coalesce('project ' || p.funder, 'person ' || p.person_id), 'asked by ' || p.asked_by, 'for ' || p.payee_name, p.purpose, 'reference ' || p.reference,
      'line ' || p.list_line, 'name on card ' || p.name_score || ' of 100')
  from p
  union all
  select 'payout_destination', jsonb_build_object('id', d.id), d.made_at, d.phone,
    concat_ws(', ', d.rail, '•••• ' || d.last4, d.holder_name, 'usable from ' || to_char(d.usable_from at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
      case when d.removed_at is not null then 'removed' end, case when d.distrusted_at is not null then 'distrusted' end)
  from public.payout_destination d where d.id in (select destination_id from p)
  union all
  select 'approval', jsonb_build_object('challenge_id', a.challenge_id), a.at, null, concat_ws(', ', a.result || ' on device ' || a.device_id, 'navbat explain ' || a.verification_id)
  from public.approval a where a.verification_id in (select verification_id from p)
  union all
  select 'payout_link', jsonb_build_object('id', k.id), k.made_at, null,
    concat_ws(', ', coalesce('link by ' || k.channel, 'link'), case when k.is_reminder then 'reminder' end, 'sent ' || to_char(k.sent_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
      'opened ' || to_char(k.opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'), 'used ' || to_char(k.used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
      case when k.failed_at is not null then 'reached nobody' end, 'asked for by ' || k.asked_by, case when k.revoked_at is not null then 'revoked' end)
  from public.payout_link k where k.payout_id = any ($1::uuid[])
  union all
  select 'payout_binding', jsonb_build_object('id', b.id), b.begun_at, null, case when b.session is null then 'form that the rail did not open' else 'form of the rail' end
  from public.payout_binding b join public.payout_link k on k.id = b.link_id where k.payout_id = any ($1::uuid[])) x
order by x.at, x."table", x.key::text`;

const readHands = `
with actions as (
  select a.* from public.payout_action a where a.batch_id = any ($2::uuid[])
  union
  select a.* from public.payout_action a where a.subject in (select d::text from unnest($3::uuid[] || $1::uuid[]) d)
  union
  select a.* from public.payout_action a where a.subject in (select p.list_id::text from public.payout p where p.id = any ($1::uuid[])))
select x."table", x.key, x.at, x.says, x.phone from (
  select 'payout_batch' as "table", jsonb_build_object('id', b.id) as key, b.made_at as at, null::text as phone,
    concat_ws(', ', 'batch ' || b.name, b.state, b.rail, b.count || ' lines', round(b.total / 100.0, 2) || ' UZS', 'made by ' || s.email,
      'hash ' || encode(b.content_hash, 'hex')) as says
  from public.payout_batch b join public.staff s on s.id = b.made_by where b.id = any ($2::uuid[])
  union all
  select 'payout_item', jsonb_build_object('batch_id', i.batch_id, 'n', i.n), b.made_at, i.phone,
    concat_ws(', ', 'line ' || i.n, i.state, round(i.net / 100.0, 2) || ' UZS', '•••• ' || i.last4, 'payout ' || i.payout_id)
  from public.payout_item i join public.payout_batch b on b.id = i.batch_id where i.batch_id = any ($2::uuid[]) and i.payout_id = any ($1::uuid[])
  union all
  select 'payout_action', jsonb_build_object('id', a.id), a.at, null,
    concat_ws(', ', a.action || ' by ' || s.email, 'version ' || a.version, a.count || ' lines', round(a.total / 100.0, 2) || ' UZS', a.reason, 'proof ' || a.proof_id)
  from actions a join public.staff s on s.id = a.staff_id
  union all
  select 'staff_proof', jsonb_build_object('id', r.id), r.at, null,
    concat_ws(', ', 'proof by ' || r.by || ' of ' || s.email, 'binds ' || r.binds, 'used ' || to_char(r.used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
  from public.staff_proof r join public.staff s on s.id = r.staff_id where r.id in (select proof_id from actions)) x
order by x.at, x."table", x.key::text`;

const readCalls = `
select x."table", x.key, x.at, x.says, x.phone from (
  select 'payout_dispatch' as "table", jsonb_build_object('id', d.id) as key, d.made_at as at, null::text as phone,
    concat_ws(', ', d.rail, d.state, d.reason, round(d.amount / 100.0, 2) || ' UZS', d.items || ' items', 'reference ' || d.reference, 'at the rail ' || d.rail_uuid,
      'commission ' || round(d.commission / 100.0, 2)) as says
  from public.payout_dispatch d where d.id = any ($2::uuid[])
  union all
  select 'rail_call', jsonb_build_object('dispatch_id', c.dispatch_id, 'n', c.n), c.opened_at, null,
    concat_ws(', ', c.what, 'attempt ' || c.attempt, coalesce(c.outcome, 'open'), c.status, c.because, 'reference ' || c.reference, 'at the rail ' || c.rail_uuid,
      'closed ' || to_char(c.closed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  from public.rail_call c where c.dispatch_id = any ($2::uuid[])
  union all
  select 'bank_file', jsonb_build_object('dispatch_id', f.dispatch_id), f.made_at, null,
    concat_ws(', ', 'file of the bank, part ' || f.part, f.documents || ' documents', round(f.total / 100.0, 2) || ' UZS', 'file ' || encode(f.sha256, 'hex'))
  from public.bank_file f where f.dispatch_id = any ($2::uuid[])
  union all
  -- Jobs are kept for some days only.
  select 'job', jsonb_build_object('id', j.id), j.accepted_at, null, concat_ws(', ', j.kind, j.state, j.reason)
  from public.job j join public.payout_dispatch d on d.job_id = j.id where d.id = any ($2::uuid[])
  union all
  select 'payout_notice', jsonb_build_object('payout_id', n.payout_id, 'what', n.what), n.at, null,
    concat_ws(', ', n.what, coalesce('handed over ' || to_char(n.handed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'not handed over'))
  from public.payout_notice n where n.payout_id = any ($1::uuid[])) x
order by x.at, x."table", x.key::text`;

const readStatements = `
with lines as (select * from public.statement_line where payout_id = any ($1::uuid[]))
select x."table", x.key, x.at, x.says, x.phone from (
  select 'statement' as "table", jsonb_build_object('id', s.id) as key, s.at as at, null::text as phone,
    concat_ws(', ', 'statement of ' || s.rail, s.lines || ' lines', coalesce('imported by ' || m.email, 'fetched'), 'file ' || encode(s.sha256, 'hex')) as says
  from public.statement s left join public.staff m on m.id = s.imported_by where s.id in (select statement_id from lines)
  union all
  select 'statement_line', jsonb_build_object('project_id', l.project_id, 'rail', l.rail, 'key', l.key), l.at, null,
    concat_ws(', ', l.bucket, l.direction, round(l.amount / 100.0, 2) || ' UZS', 'commission ' || round(l.commission / 100.0, 2), 'reference ' || l.reference,
      'at the rail ' || l.uuid, l.says, case when l.posted then 'in the book' else 'not in the book' end)
  from lines l
  union all
  select 'difference', jsonb_build_object('id', d.id), d.found_at, null,
    concat_ws(', ', d.bucket, round(d.amount / 100.0, 2) || ' UZS', d.note, coalesce('closed ' || to_char(d.closed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'), 'open'))
  from public.difference d where d.payout_id = any ($1::uuid[]) or d.dispatch_id = any ($2::uuid[])) x
order by x.at, x."table", x.key::text`;

/** By the keys under which each step posts once; in front of them, what had filled the account that the hold took from. */
const readMoney = `
with keys (book, key) as (
  select p.project_id, prefix || p.id from public.payout p cross join unnest(array['hold:', 'resolve:', 'fee:', 'return:', 'return-fee:']) prefix where p.id = any ($1::uuid[])
  union
  select d.project_id, 'commission:' || d.id from public.payout_dispatch d where d.id = any ($2::uuid[])
  union
  select l.project_id, 'line:' || l.key || suffix from public.statement_line l cross join unnest(array['', ':commission', ':take-back']) suffix
  where l.payout_id = any ($1::uuid[])),
own as (select t.* from keys k join public.ledger_transfer t on t.project_id = k.book and t.key = k.key),
sources as (
  select s.* from (select distinct on (o.project_id, o.debit) o.project_id, o.debit, o.n from own o where o.kind = 'hold' order by o.project_id, o.debit, o.n desc) h
  cross join lateral (
    select t.* from public.ledger_transfer t where t.project_id = h.project_id and t.credit = h.debit and t.n < h.n order by t.n desc limit $3) s),
shown as (select * from own union select * from sources)
select 'ledger_transfer' as "table", jsonb_build_object('project_id', t.project_id, 'n', t.n) as key, t.posted_at as at, null::text as phone,
  concat_ws(', ', t.n || ' ' || t.kind, round(t.amount / 1000000.0, 6) || ' UZS', d.class || ' ' || d.id || ' to ' || c.class || ' ' || c.id, 'key ' || t.key, 'by ' || t.actor) as says
from shown t join public.ledger_account d on d.id = t.debit join public.ledger_account c on c.id = t.credit
order by t.n`;
