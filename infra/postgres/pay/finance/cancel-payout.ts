import type pg from 'pg';
import type { CancelPayout } from '../../../../domain/pay/finance/payouts.ts';
import type { PayoutState } from '../../../../domain/pay/payout/payout.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { refusing } from '../money-faults.ts';

/** One statement, and so one commit. */
export function cancelPayout(pool: pg.Pool, book: ProjectId): CancelPayout {
  return async (id, staffId, why) => {
    try {
      const asked = pool.query<{ state: PayoutState; version: number }>(cancel, [book, id, staffId, why]);
      const { rows } = await refusing(asked);
      const [row] = rows;
      if (!row) throw new Error('a payout was cancelled and has no state');
      return { ok: true, ...row };
    } catch (error) {
      if (error instanceof MoneyRefusedError) return { ok: false, refusal: error.refusal };
      throw error;
    }
  };
}

const cancel = 'select state, version from payout_cancel_by_staff($1, $2, $3, $4)';
