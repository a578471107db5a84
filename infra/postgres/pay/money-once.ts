import type pg from 'pg';
import type { AnsweredRequest, MoneyAnswer, MoneyRequest } from '../../../domain/pay/money-request.ts';
import type { MoneyRefusal } from '../../../domain/pay/refusals.ts';
import { inTransaction } from '../engine/transaction.ts';
import { moneyRefusalOf } from './money-faults.ts';
import { answerOnce } from './money-requests.ts';

/**
 * Moves money once for each asker and key, in one commit with the answer. A refusal is an answer, and is kept; that somebody else held the
 * rows is none: the caller asks again.
 */
export const moneyOnce = (
  pool: pg.Pool,
  request: MoneyRequest,
  work: (tx: pg.PoolClient) => Promise<MoneyAnswer>,
  refused: (refusal: MoneyRefusal) => MoneyAnswer,
): Promise<AnsweredRequest> =>
  inTransaction(pool, (tx) =>
    answerOnce(tx, request, {
      work: () => work(tx),
      refusalOf: (error) => {
        const refusal = moneyRefusalOf(error);
        return refusal === null || refusal.kind === 'busy' ? null : refused(refusal);
      },
    }),
  );
