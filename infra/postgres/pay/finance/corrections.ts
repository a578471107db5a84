import type pg from 'pg';
import type { Hand } from '../../../../domain/pay/finance/batches.ts';
import {
  type Correction,
  type CorrectionActed,
  CorrectionId,
  type CorrectionKind,
  type Corrections,
  type CorrectionState,
} from '../../../../domain/pay/finance/corrections.ts';
import type { RailId } from '../../../../domain/pay/ids.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { moneyRefusalOf } from '../money-faults.ts';
import { moneyOnce } from '../money-once.ts';

/** What two people do to the ledger by hand. */
export function corrections(pool: pg.Pool, book: ProjectId): Corrections {
  return {
    ask: (request, { what, of, amount, reason }, as) =>
      moneyOnce(
        pool,
        request,
        async (tx) => {
          const { rows } = await tx.query<{ id: string; version: number }>(ask, [
            book,
            what,
            of.class,
            of.owner,
            of.rail,
            amount.toString(),
            reason,
            request.personId,
          ]);
          const [row] = rows;
          if (!row) throw new Error('a correction was asked for and has no row');
          return as.accepted({ id: CorrectionId.parse(row.id), version: row.version });
        },
        as.refused,
      ),
    agree: (...of) => acted(pool.query(agree, of)),
    withdraw: (...of) => acted(pool.query(withdraw, of)),
    list: async (state, { limit, after }) => {
      const { rows } = await pool.query<CorrectionRow>(list, [book, state, after, limit + 1]);
      return pageOf(rows.map(correctionOf), limit);
    },
    find: async (id) => {
      const { rows } = await pool.query<CorrectionRow>(find, [book, id]);
      return rows[0] ? correctionOf(rows[0]) : null;
    },
  };
}

async function acted(asked: Promise<unknown>): Promise<CorrectionActed> {
  try {
    await asked;
    return { ok: true };
  } catch (error) {
    const refusal = moneyRefusalOf(error);
    if (refusal === null) throw error;
    return { ok: false, refusal };
  }
}

const ask = 'select c.id, c.version from money_correction_ask($1, $2, $3, $4, $5, $6, $7, $8) c';
const agree = 'select c.id from money_correction_agree($1, $2, $3, $4) c';
const withdraw = 'select c.id from money_correction_withdraw($1, $2, $3, $4) c';

interface CorrectionRow {
  readonly id: string;
  readonly what: CorrectionKind;
  readonly class: string;
  readonly owner: string | null;
  readonly rail: RailId | null;
  readonly amount: string;
  readonly reason: string;
  readonly state: CorrectionState;
  readonly version: number;
  readonly asked_by: Hand;
  readonly asked_at: Date;
  readonly ended_by: Hand | null;
  readonly ended_at: Date | null;
  readonly n: string | null;
}

const correctionOf = (row: CorrectionRow): Correction => ({
  id: CorrectionId.parse(row.id),
  what: row.what,
  class: row.class,
  owner: row.owner,
  rail: row.rail,
  amount: BigInt(row.amount),
  reason: row.reason,
  state: row.state,
  version: row.version,
  askedBy: row.asked_by,
  askedAt: row.asked_at,
  endedBy: row.ended_by,
  endedAt: row.ended_at,
  n: row.n === null ? null : BigInt(row.n),
});

const columns = `
c.id, c.what, c.class, c.owner, c.rail, c.amount, c.reason, c.state, c.version, json_build_object('id', a.id, 'email', a.email) asked_by, c.asked_at,
case when e.id is not null then json_build_object('id', e.id, 'email', e.email) end ended_by, c.ended_at, c.n
from money_correction c join staff a on a.id = c.asked_by left join staff e on e.id = c.ended_by`;

const list = `
select ${columns} where c.project_id = $1 and ($2::text is null or c.state = $2) and ($3::uuid is null or c.id < $3) order by c.id desc limit $4`;

const find = `select ${columns} where c.project_id = $1 and c.id = $2`;
