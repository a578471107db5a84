import type pg from 'pg';
import type { Blocked, BlockRefusal, EarnerBlocks } from '../../../../domain/earn/people/port.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { refusing } from '../../pay/money-faults.ts';

/** By the functions that ask who may. Each call is a commit of its own; what was done, by whom and why, is kept in `payout_block`. */
export const earnerBlocks = (pool: pg.Pool, book: ProjectId): EarnerBlocks => ({
  block: async (personId, staffId, why) => {
    const { rows } = await refusing(pool.query<OutcomeRow>(block, [book, personId, staffId, why]));
    return blockedOf(rows[0]);
  },
  unblock: async (personId, staffId, why) => {
    try {
      const { rows } = await refusing(pool.query<OutcomeRow>(unblock, [book, personId, staffId, why]));
      return blockedOf(rows[0]);
    } catch (error) {
      if (error instanceof MoneyRefusedError && error.refusal.kind === 'own-money')
        return { ok: false, reason: 'own-person' };
      throw error;
    }
  },
});

interface OutcomeRow {
  readonly outcome: 'blocked' | 'unblocked' | BlockRefusal;
}

const block = `select earner_block($1, $2, $3, $4) as outcome`;
const unblock = `select earner_unblock($1, $2, $3, $4) as outcome`;

function blockedOf(row: OutcomeRow | undefined): Blocked {
  if (!row) throw new Error('a block was asked for and nothing was answered');
  const { outcome } = row;
  return outcome === 'blocked' || outcome === 'unblocked' ? { ok: true } : { ok: false, reason: outcome };
}
