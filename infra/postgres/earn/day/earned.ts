import type pg from 'pg';
import type { ProjectId } from '../../../../domain/shared/ids.ts';

interface EarnedRow {
  readonly pending: string;
  readonly review: string;
}

/** What people have earned and the ledger does not hold yet, in tiyin, rounded down: on days that are open, and what waits for a person. */
export const earnedOf = (pool: pg.Pool, book: ProjectId) => async (personId: string) => {
  const { rows } = await pool.query<EarnedRow>(earned, [book, personId]);
  return { pending: BigInt(rows[0]?.pending ?? 0), review: BigInt(rows[0]?.review ?? 0) };
};

const earned = `
select floor(coalesce(sum(micros) filter (where verdict = 'pay' and closed_at is null), 0) / 10000.0)::bigint::text as pending,
  floor(coalesce(sum(micros) filter (where verdict = 'review'), 0) / 10000.0)::bigint::text as review
from session_day where project_id = $1 and person_id = $2`;
