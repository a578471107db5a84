import type pg from 'pg';
import type {
  BatchAction,
  BatchItem,
  BatchReads,
  BatchRisk,
  BatchView,
  PayableFilter,
} from '../../../../domain/pay/batch/port.ts';
import type { ItemState } from '../../../../domain/pay/batch/batch.ts';
import { type BatchId, PayoutId } from '../../../../domain/pay/ids.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { pageOf } from '../../../../domain/shared/page.ts';

/** What finance reads of batches. Nothing is locked. */
export function batchReads(pool: pg.Pool, book: ProjectId): BatchReads {
  return {
    find: async (id) => {
      const { rows } = await pool.query<ViewRow>(findOne, [book, id]);
      return rows[0] ? viewOf(rows[0]) : null;
    },
    page: async (states, { after, limit }) => {
      const { rows } = await pool.query<ViewRow>(readPage, [book, states, after, limit + 1]);
      return pageOf(rows.map(viewOf), limit);
    },
    items: async (id, { after, limit, states }) => {
      const { rows } = await pool.query<ItemRow>(readItems, [id, after, states, limit]);
      return rows.map(itemOf);
    },
    progress: async (id) => {
      const { rows } = await pool.query<{ state: ItemState; count: number; total: string }>(progress, [id]);
      return rows.map((row) => ({ ...row, total: BigInt(row.total) }));
    },
    actions: async (id) => (await pool.query<BatchAction>(readActions, [id])).rows,
    makers: async (id) => (await pool.query<{ id: string }>(makers, [id])).rows.map((row) => row.id),
    payable: async (filter, limit) => {
      const { rows } = await pool.query<{ id: string }>(payable, [...filterOf(book, filter), limit]);
      return rows.map((row) => PayoutId.parse(row.id));
    },
    countPayable: async (filter) => {
      const { rows } = await pool.query<{ count: number; total: string }>(
        countPayable,
        filterOf(book, filter),
      );
      return { count: rows[0]?.count ?? 0, total: BigInt(rows[0]?.total ?? 0) };
    },
    risk: (id) => readRisk(pool, id),
  };
}

type ViewRow = Omit<BatchView, 'total'> & { readonly total: string };
const viewOf = (row: ViewRow): BatchView => ({ ...row, total: BigInt(row.total) });
type ItemRow = Omit<BatchItem, 'net'> & { readonly net: string };
const itemOf = (row: ItemRow): BatchItem => ({ ...row, net: BigInt(row.net) });

const views = `
select id, rail, name, state, version, count, total, encode(content_hash, 'hex') as "contentHash", approvals_needed as "approvalsNeeded",
  made_by as "madeBy", made_at as "madeAt", submitted_at as "submittedAt", run_at as "runAt", started_at as "startedAt", done_at as "doneAt",
  closed_at as "closedAt"
from payout_batch where project_id = $1`;
const findOne = `${views} and id = $2`;
const readPage = `
${views} and ($2::text[] is null or state = any ($2)) and ($3::uuid is null or id < $3) order by id desc limit $4`;

const readItems = `
select i.n, i.payout_id as "payoutId", i.net, i.last4, i.person_id as "personId", i.phone, p.payee_name as "payeeName", p.name_score as "nameScore",
  i.state, i.dispatch_id as "dispatchId", p.reason
from payout_item i join payout p on p.id = i.payout_id
where i.batch_id = $1 and i.n > $2 and ($3::text[] is null or i.state = any ($3)) order by i.n limit $4`;

const progress = `
select state, count(*)::int as count, sum(net)::bigint as total from payout_item where batch_id = $1 group by state order by state`;

const readActions = `
select id, action, staff_id as "staffId", version, reason, at from payout_action where batch_id = $1 order by at, id`;

const makers = `select payout_batch_makers($1) as id`;

const filterOf = (book: ProjectId, { rail, source, listId, createdBefore }: PayableFilter) => [
  book,
  rail,
  source ?? null,
  listId ?? null,
  createdBefore ?? null,
];

/** As `batch_add` asks, which has the last word. */
const mayBeAdded = `
from payout p join payout_destination d on d.id = p.destination_id
where p.project_id = $1 and p.rail = $2 and p.state = 'pending'
  and ($3::text is null or p.source = $3) and ($4::uuid is null or p.list_id = $4) and ($5::timestamptz is null or p.created_at < $5)
  and d.removed_at is null and d.distrusted_at is null and d.usable_from <= navbat_now()
  and not exists (
    select from payout_block x
    where x.person_id = p.person_id and x.lifted_at is null and (x.until is null or x.until > navbat_now()))`;
const payable = `select p.id ${mayBeAdded} order by p.id limit $6`;
const countPayable = `select count(*)::int as count, coalesce(sum(p.net), 0)::bigint as total ${mayBeAdded}`;

/** A card that so many payees have bound is looked at. */
const SHARED_BY = 3;
/** Below it a name on a card is looked at. */
const NAME_SCORE_MIN = 80;
/** A destination is new to an approver for so long. */
const NEW_FOR = '7 days';

async function readRisk(pool: pg.Pool, id: BatchId): Promise<BatchRisk> {
  const { rows } = await pool.query<RiskRow>(risk, [id]);
  const { rows: largest } = await pool.query<LargestRow>(readLargest, [id]);
  const { rows: last } = await pool.query<{ total: string }>(lastTotals, [id]);
  const [counts] = rows;
  if (!counts) throw new Error('no counts of a batch');
  return {
    ...counts,
    largest: largest.map((row) => ({ ...row, net: BigInt(row.net) })),
    lastTotals: last.map(({ total }) => BigInt(total)),
  };
}

type RiskRow = Pick<BatchRisk, 'newDestinations' | 'sharedCards' | 'firstPayouts' | 'lowNames'>;
type LargestRow = Pick<ItemRow, 'n' | 'payoutId' | 'net' | 'last4' | 'payeeName'>;

const risk = `
with line as (
  select i.payout_id, i.person_id, i.phone, i.token_hash, p.name_score, d.made_at
  from payout_item i join payout p on p.id = i.payout_id join payout_destination d on d.id = p.destination_id
  where i.batch_id = $1 and i.state <> 'dropped')
select count(*) filter (where l.made_at > navbat_now() - interval '${NEW_FOR}')::int as "newDestinations",
  count(*) filter (where (
    select count(distinct coalesce(d.person_id::text, d.phone)) from payout_destination d where d.holder_hash = l.token_hash) >= ${SHARED_BY})::int as "sharedCards",
  count(*) filter (where not exists (
    select from payout p where p.state = 'paid' and p.id <> l.payout_id and (p.person_id = l.person_id or p.phone = l.phone)))::int as "firstPayouts",
  count(*) filter (where l.name_score < ${NAME_SCORE_MIN})::int as "lowNames"
from line l`;

const readLargest = `
select i.n, i.payout_id as "payoutId", i.net, i.last4, p.payee_name as "payeeName"
from payout_item i join payout p on p.id = i.payout_id where i.batch_id = $1 and i.state <> 'dropped' order by i.net desc, i.n limit 5`;

const lastTotals = `
select x.total from payout_batch b join payout_batch x on x.project_id = b.project_id and x.rail = b.rail and x.id <> b.id
where b.id = $1 and x.submitted_at is not null and x.submitted_at < coalesce(b.submitted_at, navbat_now())
order by x.submitted_at desc limit 3`;
