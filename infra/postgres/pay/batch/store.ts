import type pg from 'pg';
import { BatchState } from '../../../../domain/pay/batch/batch.ts';
import type { BatchAct, Batches, BatchesDue, BatchNow } from '../../../../domain/pay/batch/port.ts';
import { BatchId } from '../../../../domain/pay/ids.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Queryable } from '../../engine/transaction.ts';
import { refusing } from '../money-faults.ts';

interface NowRow {
  readonly id: string;
  readonly state: string;
  readonly version: number;
  readonly count: number;
  readonly total: string;
  readonly hash: string | null;
}

/** Batches of one book. Who may do what is asked in Postgres, of whoever calls. */
export function batchStore(book: ProjectId): Batches<Queryable> {
  return {
    create: (tx, { rail, name, staffId }) => changed(tx.query<NowRow>(create, [book, rail, name, staffId])),
    add: (tx, act, payouts) => changed(tx.query<NowRow>(add, [...of(act), payouts])),
    drop: (tx, act, lines, reason) => changed(tx.query<NowRow>(drop, [...of(act), lines, reason])),
    submit: (tx, act) => changed(tx.query<NowRow>(submit, of(act))),
    reject: (tx, act, reason) => changed(tx.query<NowRow>(reject, [...of(act), reason])),
    withdraw: (tx, act, reason) => changed(tx.query<NowRow>(withdraw, [...of(act), reason])),
    approve: (tx, act, { contentHash, count, total }, proofId) =>
      changed(tx.query<NowRow>(approve, [...of(act), contentHash, count, total, proofId])),
    run: (tx, act, at) => changed(tx.query<NowRow>(run, [...of(act), at])),
    pause: (tx, { batchId, version, staffId }, reason) =>
      changed(tx.query<NowRow>(pause, [batchId, version, staffId, reason])),
    resume: (tx, act) => changed(tx.query<NowRow>(resume, of(act))),
    cancelRest: (tx, act, reason) => changed(tx.query<NowRow>(cancelRest, [...of(act), reason])),
    close: (tx, act) => changed(tx.query<NowRow>(close, of(act))),
  };
}

const of = ({ batchId, version, staffId }: BatchAct) => [batchId, version, staffId];

async function changed(asked: Promise<pg.QueryResult<NowRow>>): Promise<BatchNow & { id: BatchId }> {
  const { rows } = await refusing(asked);
  const [row] = rows;
  if (!row) throw new Error('a function of batches answered nothing');
  const { id, state, version, count, total, hash } = row;
  return {
    id: BatchId.parse(id),
    state: BatchState.parse(state),
    version,
    count,
    total: BigInt(total),
    contentHash: hash,
  };
}

const now = `state, version, count, total, encode(content_hash, 'hex') as hash`;
const create = `select batch as id, ${now} from batch_create($1, $2, $3, $4)`;
const add = `select $1::uuid as id, ${now} from batch_add($1, $2, $3, $4)`;
const drop = `select $1::uuid as id, ${now} from batch_drop($1, $2, $3, $4, $5)`;
const submit = `select $1::uuid as id, ${now} from batch_submit($1, $2, $3)`;
const reject = `select $1::uuid as id, ${now} from batch_reject($1, $2, $3, $4)`;
const withdraw = `select $1::uuid as id, ${now} from batch_withdraw($1, $2, $3, $4)`;
const approve = `select $1::uuid as id, ${now} from batch_approve($1, $2, $3, decode($4, 'hex'), $5, $6, $7)`;
const run = `select $1::uuid as id, ${now} from batch_run($1, $2, $3, $4)`;
const pause = `select $1::uuid as id, ${now} from batch_pause($1, $2, $3, $4)`;
const resume = `select $1::uuid as id, ${now} from batch_resume($1, $2, $3)`;
const cancelRest = `select $1::uuid as id, ${now} from batch_cancel_rest($1, $2, $3, $4)`;
const close = `select $1::uuid as id, ${now} from batch_close($1, $2, $3)`;

export function batchesDue(pool: pg.Pool): BatchesDue {
  return {
    run: async (limit) => {
      const { rows } = await pool.query<{ id: string }>('select batch_run_due($1) as id', [limit]);
      return rows.map(({ id }) => BatchId.parse(id));
    },
    cancel: async (limit) => {
      const { rows } = await pool.query<{ left: number }>('select batch_cancel_due($1) as left', [limit]);
      return rows[0]?.left ?? 0;
    },
  };
}
