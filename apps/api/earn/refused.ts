import { MoneyRefusedError } from '../../../domain/pay/refusals.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';

/** @throws Problem what a function of money has refused, told as everywhere. */
export const orProblem = <T>(asked: Promise<T>): Promise<T> =>
  asked.catch((error: unknown) => {
    throw error instanceof MoneyRefusedError ? moneyProblem(error.refusal) : error;
  });
