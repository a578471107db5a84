import type pg from 'pg';
import type { Blocked, BlockRefusal, EarnerBlocks } from '../../../../domain/earn/people/port.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { StaffMember } from '../../../../domain/staff/port.ts';
import { inTransaction } from '../../engine/transaction.ts';
import { refusing } from '../../pay/money-faults.ts';
import type { NoteChange } from '../note-change.ts';

/** By the functions that ask who may. What was done, by whom and why, is kept in `payout_block`, and noted in the same commit. */
export function earnerBlocks(pool: pg.Pool, book: ProjectId, note: NoteChange): EarnerBlocks {
  const run = (did: 'block' | 'unblock', personId: string, by: StaffMember, why: string): Promise<Blocked> =>
    refusing(
      inTransaction(pool, async (tx) => {
        const values = [book, personId, by.id, why];
        const { rows } =
          did === 'block'
            ? await tx.query<OutcomeRow>(block, values)
            : await tx.query<OutcomeRow>(unblock, values);
        const done = blockedOf(rows[0]);
        if (done.ok) await note(tx, { by, action: 'people.block', subject: personId, did });
        return done;
      }),
    );
  return {
    block: (personId, by, why) => run('block', personId, by, why),
    unblock: (personId, by, why) =>
      run('unblock', personId, by, why).catch((error: unknown) => {
        if (error instanceof MoneyRefusedError && error.refusal.kind === 'own-money')
          return { ok: false, reason: 'own-person' };
        throw error;
      }),
  };
}

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
