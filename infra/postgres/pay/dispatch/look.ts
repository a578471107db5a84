import type pg from 'pg';
import { JobId } from '../../../../domain/shared/ids.ts';

/** Has a payment asked about now, where that is due later; answers its job. */
export const dispatchLook =
  (pool: pg.Pool) =>
  async (reference: string): Promise<JobId | null> => {
    const { rows } = await pool.query<{ job: string | null }>(
      `select dispatch_look('multicard', $1) as job`,
      [reference],
    );
    return JobId.nullable().parse(rows[0]?.job ?? null);
  };
