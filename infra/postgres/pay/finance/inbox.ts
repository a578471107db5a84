import type pg from 'pg';
import type { Inbox, Waiting, WaitKind } from '../../../../domain/pay/finance/inbox.ts';
import type { BatchReads } from '../../../../domain/pay/finance/batches.ts';
import { type RunBlockRow, runBlockOf } from './run-block.ts';
import { restCancelled } from './rest-cancelled.ts';
import { BatchId } from '../../../../domain/pay/ids.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';

/** More than anybody does in a day. */
const WAITING_MAX = 200;

/** What waits for finance: batches, corrections, payments of which nobody knows what became of them, and what statements say that one person uploaded. */
export function inbox(pool: pg.Pool, book: ProjectId, reads: Pick<BatchReads, 'approver'>): Inbox {
  return {
    async waiting(staffId) {
      const { rows } = await pool.query<WaitingRow>(readWaiting, [book, staffId, WAITING_MAX]);
      return Promise.all(rows.map((row) => waitingOf(row, staffId, reads)));
    },
  };
}

interface WaitingRow {
  readonly kind: WaitKind;
  readonly id: string;
  readonly name: string;
  readonly count: number | null;
  readonly total: string;
  readonly since: Date;
  readonly is_hand: boolean;
  readonly is_new: boolean;
  readonly run_block: RunBlockRow;
}

async function waitingOf(
  { is_hand: isHand, is_new: isNew, run_block: runBlock, total, ...row }: WaitingRow,
  staffId: string,
  reads: Pick<BatchReads, 'approver'>,
): Promise<Waiting> {
  const facts =
    row.kind === 'batch.approve'
      ? await reads.approver(BatchId.parse(row.id), staffId)
      : { isHand, isNew, isOwnMoney: false };
  return { ...row, total: BigInt(total), facts, runBlock: runBlockOf(runBlock) };
}

const readWaiting = `
with me as (
  select s.id, s.created_at > navbat_now() - interval '24 hours' or coalesce(s.totp_bound_at > navbat_now() - interval '24 hours', false) is_new
  from staff s where s.id = $2)
select w.kind, w.id, w.name, w.count, w.total, w.since, w.is_hand, w.run_block, me.is_new from me cross join (
  (select case when x.blocked = 'approval' then 'batch.approve' else case b.state
      when 'draft' then 'batch.submit' when 'submitted' then 'batch.approve' when 'approved' then 'batch.run'
      when 'paused' then 'batch.resume' else 'batch.close' end end kind,
    b.id, b.name::text, b.count, b.total,
    coalesce(case b.state when 'paused' then (select max(a.at) from payout_action a where a.batch_id = b.id and a.action = 'pause') end,
      b.done_at, b.submitted_at, b.made_at) since, b.made_by = $2 is_hand,
    case when b.state = 'approved' and x.blocked <> 'approval' then x.blocked end run_block
  from payout_batch b cross join lateral (select case when b.state in ('approved', 'paused') then payout_batch_blocked(b.id) end blocked) x
  where b.project_id = $1 and (b.state in ('submitted', 'done') or b.state = 'draft' and b.made_by = $2
    or (b.state = 'paused' or b.state = 'approved' and (b.run_at is null or b.run_at <= navbat_now() or x.blocked = 'approval'))
      and not ${restCancelled})
  order by b.id desc limit $3)
  union all
  (select 'correction.agree', c.id, c.what || ': ' || c.reason, null, c.amount, c.asked_at, c.asked_by = $2, null
  from money_correction c where c.project_id = $1 and c.state = 'asked' order by c.id desc limit $3)
  union all
  (select 'payment.settle', d.id, d.rail || ': ' || coalesce(d.reason, d.state), d.items, d.amount, d.state_at, false, null
  from payout_dispatch d where d.project_id = $1 and d.state = 'stuck' order by d.id limit $3)
  union all
  (select 'payment.settle', u.dispatch_id, 'bank-file: in no statement', count(*)::int, sum(p.net)::bigint, u.since, false, null
  from bank_items_unheard($1) u join payout p on p.id = u.payout_id group by u.dispatch_id, u.since order by u.since limit $3)
  union all
  (select 'statement.agree', s.id, 'statement of ' || s.rail, count(*)::int, sum(l.amount + l.commission)::bigint, s.at, s.imported_by = $2, null
  from statement_line l join statement s on s.id = l.statement_id
  where l.project_id = $1 and l.bucket = 'early' and not l.posted and s.imported_by is not null
    and not exists (select from payout_action a where a.subject = s.id::text and a.action = 'statement-agreed')
  group by s.id order by s.id desc limit $3)) w`;
