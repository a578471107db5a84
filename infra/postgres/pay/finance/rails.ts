import type pg from 'pg';
import type { Hand } from '../../../../domain/pay/finance/batches.ts';
import type {
  DispatchView,
  Rails,
  RailView,
  Switched,
  SwitchId,
} from '../../../../domain/pay/finance/rails.ts';
import { BatchId, type RailId } from '../../../../domain/pay/ids.ts';
import type { DispatchState } from '../../../../domain/pay/dispatch/dispatch.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { Queryable } from '../../engine/transaction.ts';
import { refusing } from '../money-faults.ts';

/** What people do to rails and payments. Reads lock nothing. */
export function rails(pool: pg.Pool): Rails {
  return {
    rails: async () => (await pool.query<RailRow>(readRails)).rows.map(railOf),
    stop: (...of) => switched(pool.query('select rail_stop($1, $2, $3)', of)),
    askOpen: (...of) => switched(pool.query('select rail_open_ask($1, $2, $3)', of)),
    agreeOpen: (...of) => switched(pool.query('select rail_open_agree($1, $2, $3)', of)),
    stuck: async ({ limit, after }) => {
      const { rows } = await pool.query<DispatchRow>(readStuck, [after, limit + 1]);
      return pageOf(rows.map(dispatchOf), limit);
    },
    dispatch: async (id) => {
      const { rows } = await pool.query<DispatchRow>(readDispatch, [id]);
      return rows[0] ? dispatchOf(rows[0]) : null;
    },
    askSettle: async (...of) => {
      if (await isOfFile(pool, of[0]))
        return switched(pool.query('select bank_item_settle_ask($1, $2, $3, $4)', of));
      return switched(pool.query('select dispatch_settle_ask($1, $2, $3, $4)', of));
    },
    agreeSettle: async (id, staffId, outcome, proofId) => {
      if (await isOfFile(pool, id))
        return switched(
          pool.query('select bank_item_settle_agree($1, $2, $3, $4)', [id, staffId, outcome, proofId]),
        );
      return switched(
        pool.query('select dispatch_settle_agree($1, $2, $3, $4)', [id, staffId, outcome, proofId]),
      );
    },
  };
}

/** Whether it is a payment of a bank's file, which has the id of its payout. */
async function isOfFile(db: Queryable, id: string): Promise<boolean> {
  const { rows } = await db.query(
    `select from payout_item i join payout_dispatch d on d.id = i.dispatch_id where i.payout_id = $1 and d.rail = 'bank-file'`,
    [id],
  );
  return rows.length > 0;
}

/** A refusal is an answer. */
async function switched(asked: Promise<unknown>): Promise<Switched> {
  try {
    await refusing(asked);
    return { ok: true };
  } catch (error) {
    if (error instanceof MoneyRefusedError) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

interface RailRow {
  readonly id: SwitchId;
  readonly stopped_at: Date | null;
  readonly stopped_by: Hand | null;
  readonly reason: string | null;
  readonly version: number | null;
  readonly open_asked: { readonly by: Hand; readonly at: string; readonly reason: string } | null;
  readonly said_at: Date | null;
  readonly otp_since: Date | null;
  readonly exposure_max: number;
  readonly exposed: number;
  readonly waiting: number;
  readonly stuck: number;
}

const railOf = (row: RailRow): RailView => ({
  id: row.id,
  stopped: stoppedOf(row),
  saidAt: row.said_at,
  otpSince: row.otp_since,
  exposureMax: row.exposure_max,
  exposed: row.exposed,
  waiting: row.waiting,
  stuck: row.stuck,
});

function stoppedOf({ stopped_at: at, stopped_by: by, reason, version, open_asked: asked }: RailRow) {
  if (at === null || reason === null) return null;
  const openAsked = asked && { ...asked, at: new Date(asked.at) };
  return { at, by, reason, version: version ?? 0, openAsked };
}

/** Asked since it was stopped, within a day, and not agreed to: as the function that opens it asks. */
const readRails = `
select r.id, r.stopped_at, r.reason, floor(extract(epoch from r.stopped_at))::float8 as version, r.said_at, r.otp_since, r.exposure_max,
  (select json_build_object('id', s.id, 'email', s.email) from staff s where 'staff:' || s.id = r.stopped_by) stopped_by,
  (select json_build_object('by', json_build_object('id', s.id, 'email', s.email), 'at', a.at, 'reason', a.reason)
   from payout_action a join staff s on s.id = a.staff_id
   where a.subject = r.id and a.action = 'rail-open-asked' and s.disabled_at is null and s.role in ('finance', 'admin') and a.at >= greatest(r.stopped_at, navbat_now() - interval '24 hours')
     and not exists (select from payout_action x where x.subject = r.id and x.action = 'rail-open-agreed' and x.at >= a.at)
   order by a.at desc limit 1) open_asked,
  (select count(*)::int from payout_dispatch d
   where d.rail = r.id and d.state in ('drafting', 'drafted', 'confirming', 'unknown', 'asking')) exposed,
  (select count(*)::int from payout_dispatch d where d.rail = r.id and d.state = 'waiting') waiting,
  (select count(*)::int from payout_dispatch d where d.rail = r.id and d.state = 'stuck') stuck
from rail r order by r.id`;

interface DispatchRow {
  readonly id: string;
  readonly batch_id: string;
  readonly rail: RailId;
  readonly amount: string;
  readonly items: number;
  readonly state: DispatchState;
  readonly reason: string | null;
  readonly version: number;
  readonly attempt: number;
  readonly reference: string | null;
  readonly rail_uuid: string | null;
  readonly state_at: Date;
  readonly settle_asked: {
    readonly by: Hand;
    readonly at: string;
    readonly outcome: 'paid' | 'failed';
    readonly evidence: string;
    readonly hash: string;
  } | null;
}

const dispatchOf = ({
  batch_id,
  rail_uuid,
  state_at,
  settle_asked: asked,
  ...row
}: DispatchRow): DispatchView => ({
  ...row,
  batchId: BatchId.parse(batch_id),
  amount: BigInt(row.amount),
  railUuid: rail_uuid,
  stateAt: state_at,
  settleAsked: asked && { ...asked, at: new Date(asked.at) },
});

/** What somebody says that became of `named`. */
const settleAsked = `
  (select json_build_object('by', json_build_object('id', s.id, 'email', s.email), 'at', a.at, 'outcome', split_part(a.action, '-', 2), 'evidence', a.reason,
      'hash', payout_asked_hash(a))
   from payout_action a join staff s on s.id = a.staff_id
   where a.subject = named.id and a.action in ('settle-paid-asked', 'settle-failed-asked') and s.disabled_at is null and s.role in ('finance', 'admin')
     and a.at >= greatest(d.state_at, navbat_now() - interval '24 hours')
   order by a.at desc limit 1) settle_asked`;

const dispatchColumns = `
select d.id, d.batch_id, d.rail, d.amount, d.items, d.state, d.reason, d.version, d.attempt, d.reference, d.rail_uuid, d.state_at,${settleAsked}
from payout_dispatch d cross join lateral (select d.id::text as id) named`;

/** One payment of a file, by the id of its payout; our reference in it is that. */
const itemColumns = `
select p.id, d.batch_id, d.rail, i.net as amount, 1 as items, case i.state when 'dispatched' then d.state else i.state end as state, p.reason::text as reason,
  p.version, 0 as attempt, p.id::text as reference, null::text as rail_uuid, d.state_at,${settleAsked}
from payout_dispatch d join payout_item i on i.dispatch_id = d.id join payout p on p.id = i.payout_id
cross join lateral (select p.id::text as id) named`;

/** By their ids, which count up: a page goes on where the one before ended, whatever was settled meanwhile. */
const readStuck = `
select * from (
  (${dispatchColumns} where d.state = 'stuck' and ($1::uuid is null or d.id > $1) order by d.id limit $2)
  union all
  (${itemColumns} where (d.id, p.id) in (
    select u.dispatch_id, u.payout_id from ledger_book b, bank_items_unheard(b.project_id) u
    where $1::uuid is null or u.payout_id > $1 order by u.payout_id limit $2))) x
order by x.id limit $2`;
const readDispatch = `
${dispatchColumns} where d.id = $1 union all ${itemColumns} where i.payout_id = $1 and d.rail = 'bank-file'`;
