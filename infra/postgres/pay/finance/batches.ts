import type pg from 'pg';
import { type BatchState, ItemState } from '../../../../domain/pay/batch/batch.ts';
import type {
  BatchReads,
  BatchView,
  CandidateFilter,
  Hand,
  Progress,
  Sum,
} from '../../../../domain/pay/finance/batches.ts';
import type { ApproverFacts } from '../../../../domain/pay/finance/next.ts';
import { BatchId, PayoutId, type RailId } from '../../../../domain/pay/ids.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { type ItemRow, itemOf } from './items.ts';
import { restCancelled } from './rest-cancelled.ts';
import { riskOf } from './risk.ts';
import { type RunBlockRow, runBlockOf } from './run-block.ts';

/** What staff read of batches. Nothing is locked: whoever pays waits for no reader. */
export function batchReads(pool: pg.Pool, book: ProjectId): BatchReads {
  return {
    batches: async ({ state, rail }, { limit, after }) => {
      const { rows } = await pool.query<BatchRow>(listBatches, [
        book,
        state ?? null,
        rail ?? null,
        after,
        limit + 1,
      ]);
      return pageOf(rows.map(batchOf), limit);
    },
    batch: async (id) => {
      const { rows } = await pool.query<BatchRow>(readBatch, [book, id]);
      return rows[0] ? batchOf(rows[0]) : null;
    },
    items: async (id, { after, limit, state }) => {
      const { rows } = await pool.query<ItemRow>(readItems, [id, after, limit + 1, state]);
      return { rows: rows.slice(0, limit).map(itemOf), hasMore: rows.length > limit };
    },
    progress: async (id) => {
      const { rows } = await pool.query<ProgressRow>(readProgress, [book, id]);
      return progressOf(rows);
    },
    risk: (id) => riskOf(pool, book, id),
    approver: (id, staffId) => approverOf(pool, id, staffId),
    candidates: (id, filter, limit) => candidatesOf(pool, id, filter, limit),
  };
}

interface BatchRow {
  readonly id: string;
  readonly rail: RailId;
  readonly name: string;
  readonly state: BatchState;
  readonly version: number;
  readonly count: number;
  readonly total: string;
  readonly hash: string | null;
  readonly approvals_needed: number;
  readonly approvals: readonly Hand[];
  readonly approvals_gone: readonly Hand[];
  readonly makers: readonly Hand[];
  readonly made_at: Date;
  readonly submitted_at: Date | null;
  readonly run_at: Date | null;
  readonly started_at: Date | null;
  readonly done_at: Date | null;
  readonly closed_at: Date | null;
  readonly run_block: RunBlockRow;
  readonly rest_cancelled: boolean;
}

const batchOf = (row: BatchRow): BatchView => ({
  id: BatchId.parse(row.id),
  rail: row.rail,
  name: row.name,
  state: row.state,
  version: row.version,
  count: row.count,
  total: BigInt(row.total),
  contentHash: row.hash,
  approvalsNeeded: row.approvals_needed,
  approvals: row.approvals,
  approvalsGone: row.approvals_gone,
  makers: row.makers,
  madeAt: row.made_at,
  submittedAt: row.submitted_at,
  runAt: row.run_at,
  startedAt: row.started_at,
  doneAt: row.done_at,
  closedAt: row.closed_at,
  runBlock: runBlockOf(row.run_block),
  isRestCancelled: row.rest_cancelled,
});

/** Approvals are of the submission that stands. */
const approvals = (counting: 'a.counts' | 'not a.counts') => `
coalesce((select json_agg(json_build_object('id', s.id, 'email', s.email))
  from payout_batch_approvals(b.id) a join staff s on s.id = a.staff_id where ${counting}), '[]')`;
const columns = `
b.id, b.rail, b.name, b.state, b.version, b.count, b.total, encode(b.content_hash, 'hex') hash, b.approvals_needed,
${approvals('a.counts')} approvals, ${approvals('not a.counts')} approvals_gone,
b.made_at, b.submitted_at, b.run_at, b.started_at, b.done_at, b.closed_at,
payout_batch_blocked(b.id) run_block,
${restCancelled} rest_cancelled`;

/** Of a whole page: those who had a hand in the batches themselves. Whose lists and payouts are in them takes a look at each line. */
const listBatches = `
select ${columns},
  coalesce((select json_agg(json_build_object('id', s.id, 'email', s.email) order by s.email) from staff s
    where s.id in (select a.staff_id from payout_action a
      where a.batch_id = b.id and a.action in ('create', 'add', 'drop', 'import', 'submit', 'withdraw'))), '[]') makers
from payout_batch b
where b.project_id = $1 and ($2::text is null or b.state = $2) and ($3::text is null or b.rail = $3) and ($4::uuid is null or b.id < $4)
order by b.id desc limit $5`;

/** As the function that refuses them finds them. */
const readBatch = `
select ${columns},
  coalesce((select json_agg(json_build_object('id', s.id, 'email', s.email) order by s.email) from staff s
    where s.id in (select payout_batch_makers(b.id))), '[]') makers
from payout_batch b where b.project_id = $1 and b.id = $2`;

const readItems = `
select i.n, i.payout_id, i.net, i.last4, i.state, i.person_id, i.phone, p.payee_name, p.purpose, p.reference, p.name_score, p.reason
from payout_item i join payout p on p.id = i.payout_id
where i.batch_id = $1 and i.n > $2 and ($4::text is null or i.state = $4) order by i.n limit $3`;

interface ProgressRow {
  readonly batch_state: BatchState;
  readonly version: number;
  readonly state: ItemState | null;
  readonly count: number;
  readonly total: string;
}

function progressOf(rows: readonly ProgressRow[]): Progress | null {
  const [first] = rows;
  if (!first) return null;
  const sums = new Map(rows.map(({ state, count, total }) => [state, { count, total: BigInt(total) }]));
  const items = Object.fromEntries(
    ItemState.options.map((state): [string, Sum] => [state, sums.get(state) ?? { count: 0, total: 0n }]),
  ) as Progress['items'];
  return { state: first.batch_state, version: first.version, items };
}

const readProgress = `
select b.state batch_state, b.version, i.state, count(i.n)::int as count, coalesce(sum(i.net), 0)::text as total
from payout_batch b left join payout_item i on i.batch_id = b.id
where b.project_id = $1 and b.id = $2 group by b.state, b.version, i.state`;

async function approverOf(pool: pg.Pool, id: BatchId, staffId: string): Promise<ApproverFacts> {
  const { rows } = await pool.query<ApproverRow>(readApprover, [id, staffId]);
  const [row] = rows;
  return { isHand: row?.is_hand ?? false, isOwnMoney: row?.is_own ?? false, isNew: row?.is_new ?? true };
}

interface ApproverRow {
  readonly is_hand: boolean;
  readonly is_own: boolean;
  readonly is_new: boolean;
}

/** As `batch_approve` asks: it decides, and this explains beforehand. */
const readApprover = `
with handlers as (
  select m as staff_id from payout_batch_makers($1) m
  union select a.staff_id from payout_batch_approvals($1) a),
phones as (select h.phone from payout_handler h where h.staff_id = $2 or h.staff_id in (select staff_id from handlers)),
people as (select x.person_id from person_phone x where x.phone in (select phone from phones)),
cards as (
  select d.holder_hash from payout_destination d
  where d.phone in (select phone from phones) or d.person_id in (select person_id from people))
select exists (select from handlers h where h.staff_id = s.id) is_hand,
  exists (select from payout_item i where i.batch_id = $1 and i.state <> 'dropped' and (
    i.phone in (select phone from phones) or i.person_id in (select person_id from people) or i.token_hash in (select holder_hash from cards))) is_own,
  s.created_at > navbat_now() - interval '24 hours' or coalesce(s.totp_bound_at > navbat_now() - interval '24 hours', false) is_new
from staff s where s.id = $2`;

async function candidatesOf(
  pool: pg.Pool,
  id: BatchId,
  filter: CandidateFilter,
  limit: number,
): Promise<readonly { readonly id: PayoutId; readonly net: bigint }[]> {
  const { rows } = await pool.query<{ id: string; net: string }>(readCandidates, [
    id,
    filter.source ?? null,
    filter.list_id ?? null,
    filter.funder ?? null,
    filter.from ?? null,
    filter.to ?? null,
    filter.amount_max?.toString() ?? null,
    limit,
  ]);
  return rows.map((row) => ({ id: PayoutId.parse(row.id), net: BigInt(row.net) }));
}

/** What `batch_add` would refuse is left out: one such would refuse all. */
const readCandidates = `
select p.id, p.net from payout_batch b join payout p on p.project_id = b.project_id and p.rail = b.rail and p.state = 'pending'
join payout_destination d on d.id = p.destination_id
where b.id = $1
  and ($2::text is null or p.source = $2) and ($3::uuid is null or p.list_id = $3) and ($4::uuid is null or p.funder = $4)
  and ($5::timestamptz is null or p.created_at >= $5) and ($6::timestamptz is null or p.created_at < $6)
  and ($7::bigint is null or p.net <= $7)
  and d.removed_at is null and d.distrusted_at is null and d.usable_from <= navbat_now()
  and not exists (select from payout_block x where x.person_id = p.person_id and x.lifted_at is null and (x.until is null or x.until > navbat_now()))
order by p.id limit $8`;
