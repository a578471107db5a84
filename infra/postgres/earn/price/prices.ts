import type pg from 'pg';
import { PriceChangeId } from '../../../../domain/earn/ids.ts';
import type {
  DayPrice,
  PriceAsked,
  PriceChange,
  PriceRefusal,
  PriceRounds,
  Prices,
} from '../../../../domain/earn/price/price.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { refusing } from '../../pay/money-faults.ts';
import type { Queryable } from '../../engine/transaction.ts';

/** @param pool a client of a transaction too, so that a price and what is said of it are one commit. */
export const prices = (pool: Queryable, book: ProjectId): Prices => ({
  of: async (day) => {
    const { rows } = await pool.query<PriceRow>(read, [book, day]);
    return rows[0] ? priceOf(rows[0], day) : null;
  },
  set: async (day, tiyinPerMb, staffId) => {
    const { rows } = await refusing(pool.query<AskedRow>(ask, [book, day, tiyinPerMb, staffId]));
    return askedOf(rows[0]);
  },
  agree: (id, staffId) => ended(pool, [book, id, staffId, true]),
  withdraw: (id, staffId) => ended(pool, [book, id, staffId, false]),
  changes: async ({ limit, after }) => {
    const { rows } = await pool.query<ChangeRow>(list, [book, after, limit + 1]);
    return pageOf(rows.map(changeOf), limit);
  },
});

export const priceRounds = (pool: pg.Pool, book: ProjectId): PriceRounds => ({
  carry: async () => {
    const { rows } = await pool.query<{ day: string }>('select d::text as day from price_carry($1) d', [
      book,
    ]);
    return rows.map(({ day }) => day);
  },
});

interface PriceRow {
  readonly day: string;
  readonly tiyin_per_mb: number;
  readonly carried: boolean;
}

const read = `
select day::text as day, tiyin_per_mb, carried from price where project_id = $1 and day <= $2::date order by day desc limit 1`;

const priceOf = (row: PriceRow, day: string): DayPrice => ({
  day,
  tiyinPerMb: row.tiyin_per_mb,
  carried: row.carried || row.day !== day,
});

interface AskedRow {
  readonly outcome: 'set' | 'asked' | PriceRefusal;
  readonly change: string | null;
}

const ask = 'select outcome, change from price_ask($1, $2, $3, $4)';
const end = 'select price_end($1, $2, $3, $4) as outcome';

function askedOf(row: AskedRow | undefined): PriceAsked {
  if (!row) throw new Error('a price was asked for and nothing was answered');
  const { outcome, change } = row;
  if (outcome !== 'set' && outcome !== 'asked') return { ok: false, reason: outcome };
  return { ok: true, state: outcome, id: change === null ? null : PriceChangeId.parse(change) };
}

async function ended(pool: Queryable, values: readonly unknown[]): Promise<PriceAsked> {
  const { rows } = await refusing(pool.query<{ outcome: AskedRow['outcome'] }>(end, [...values]));
  return askedOf(rows[0] && { ...rows[0], change: null });
}

interface ChangeRow {
  readonly id: string;
  readonly day: string;
  readonly tiyin_per_mb: number;
  readonly state: PriceChange['state'];
  readonly asked_by: string;
  readonly asked_at: Date;
  readonly ended_by: string | null;
  readonly ended_at: Date | null;
}

const changeOf = (row: ChangeRow): PriceChange => ({
  id: PriceChangeId.parse(row.id),
  day: row.day,
  tiyinPerMb: row.tiyin_per_mb,
  state: row.state,
  askedBy: row.asked_by,
  askedAt: row.asked_at,
  endedBy: row.ended_by,
  endedAt: row.ended_at,
});

const list = `
select c.id, c.day::text as day, c.tiyin_per_mb, c.state, a.email as asked_by, c.asked_at, e.email as ended_by, c.ended_at
from price_change c join staff a on a.id = c.asked_by left join staff e on e.id = c.ended_by
where c.project_id = $1 and ($2::uuid is null or c.id < $2) order by c.id desc limit $3`;
