import type pg from 'pg';
import {
  type Promo,
  type PromoDone,
  PromoId,
  type PromoRefusal,
  type PromoState,
  promoStates,
  type StaffPromos,
} from '../../../../domain/earn/promo/promo.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { refusing } from '../../pay/money-faults.ts';

/** Promo codes as staff have them. Functions of the database write them. */
export const staffPromos = (pool: pg.Pool, book: ProjectId): StaffPromos => ({
  list: async (state, { limit, after }) => {
    const { rows } = await pool.query<PromoRow>(list, [book, state, after, limit + 1]);
    return pageOf(rows.map(promoOf), limit);
  },
  make: async ({ text, amount, usesMax, validFrom, validTo }, staffId) => {
    const values = [book, text, amount.toString(), usesMax, validFrom, validTo, staffId];
    const { rows } = await refusing(pool.query<MadeRow>(ask, values));
    const [made] = rows;
    if (!made) throw new Error('a promo code was asked for and nothing was answered');
    return doneOf(pool, book, made.outcome, made.promo);
  },
  agree: (id, staffId) => endOf(pool, book, { id, staffId, agrees: true }),
  end: (id, staffId) => endOf(pool, book, { id, staffId, agrees: false }),
});

interface Ending {
  readonly id: PromoId;
  readonly staffId: string;
  readonly agrees: boolean;
}

async function endOf(pool: pg.Pool, book: ProjectId, { id, staffId, agrees }: Ending): Promise<PromoDone> {
  const { rows } = await refusing(pool.query<EndedRow>(end, [book, id, staffId, agrees]));
  const [ended] = rows;
  if (!ended) throw new Error('a promo code was ended and nothing was answered');
  return doneOf(pool, book, ended.outcome, id);
}

type Outcome = PromoState | PromoRefusal;
const states: ReadonlySet<string> = new Set(promoStates);
const isState = (outcome: Outcome): outcome is PromoState => states.has(outcome);

async function doneOf(
  pool: pg.Pool,
  book: ProjectId,
  outcome: Outcome,
  id: string | null,
): Promise<PromoDone> {
  if (!isState(outcome)) return { ok: false, reason: outcome };
  const { rows } = await pool.query<PromoRow>(find, [book, id]);
  if (!rows[0]) throw new Error('a promo code is there and can not be read');
  return { ok: true, promo: promoOf(rows[0]) };
}

interface MadeRow {
  readonly outcome: Outcome;
  readonly promo: string | null;
}
interface EndedRow {
  readonly outcome: Outcome;
}

const ask = 'select outcome, promo from promo_ask($1, $2, $3, $4, $5, $6, $7)';
const end = 'select promo_end($1, $2, $3, $4) as outcome';

interface PromoRow {
  readonly id: string;
  readonly code: string;
  readonly amount: string;
  readonly uses_max: number;
  readonly uses: number;
  readonly valid_from: Date;
  readonly valid_to: Date;
  readonly state: PromoState;
  readonly asked_by: string;
  readonly asked_at: Date;
  readonly agreed_by: string | null;
  readonly ended_by: string | null;
}

const promoOf = (row: PromoRow): Promo => ({
  id: PromoId.parse(row.id),
  text: row.code,
  amount: BigInt(row.amount),
  usesMax: row.uses_max,
  uses: row.uses,
  validFrom: row.valid_from,
  validTo: row.valid_to,
  state: row.state,
  askedBy: row.asked_by,
  askedAt: row.asked_at,
  agreedBy: row.agreed_by,
  endedBy: row.ended_by,
});

const columns = `
c.id, c.code, c.amount, c.uses_max, c.uses, c.valid_from, c.valid_to, c.state, a.email as asked_by, c.asked_at, g.email as agreed_by, e.email as ended_by`;
const tables = `
promo_code c join staff a on a.id = c.asked_by left join staff g on g.id = c.agreed_by left join staff e on e.id = c.ended_by`;

const find = `select ${columns} from ${tables} where c.project_id = $1 and c.id = $2`;

const list = `
select ${columns} from ${tables}
where c.project_id = $1 and ($2::text is null or c.state = $2) and ($3::uuid is null or c.id < $3) order by c.id desc limit $4`;
