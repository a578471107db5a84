import { z } from 'zod';
import { RECOMPUTED_BALANCES_PER_MINUTE } from '../../../domain/project/quota.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';
import type { Earned } from '../wire.ts';
import { balanceBody, balanceShape, requireOwn, TelegramId } from './own-balance.ts';
import type { WithdrawDeps } from './withdraw.routes.ts';

const tag = 'Money';

export interface MoneyDeps extends Pick<WithdrawDeps, 'withdrawals'> {
  readonly earned: Earned;
}

export const moneyRoutes = (deps: MoneyDeps): Route[] => [balance(deps), refresh(deps)];

const balance = ({ withdrawals, earned }: MoneyDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/user/balance/{telegram_id}',
    tag,
    summary: 'Show a balance',
    description: 'The caller’s own. Of anybody else, and of nobody, 403.',
    session: 'earner',
    params: z.object({ telegram_id: TelegramId }),
    answers: {
      200: {
        description: 'The balance of now.',
        schema: z.object(balanceShape),
      },
    },
    async handle({ params, person, now }) {
      await requireOwn(withdrawals, person, params.telegram_id);
      const [kept, unposted] = await Promise.all([
        withdrawals.balance(person.personId),
        earned(person.personId),
      ]);
      return { status: 200, body: balanceBody(kept, unposted, now) };
    },
  });

const refresh = ({ withdrawals, earned }: MoneyDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/user/refresh_balance',
    tag,
    summary: 'Recompute a balance',
    description: `Sums up all transfers of the caller, and compares the result with the balance that is kept. ${RECOMPUTED_BALANCES_PER_MINUTE} times a minute. Of anybody else, and of nobody, 403. Where the two differ it is 500 \`balance-differs\`, and finance has an alarm.`,
    session: 'earner',
    query: z.object({ telegram_id: TelegramId }),
    answers: {
      200: {
        description: 'The balance that is kept is what the transfers come to.',
        schema: z.object({
          verified: z.literal(true).meta({ description: 'Always true: else it is a problem.' }),
          ...balanceShape,
        }),
      },
    },
    async handle({ query, person, now, countFurther }) {
      await requireOwn(withdrawals, person, query.telegram_id);
      await countFurther({
        name: 'recomputed-balance',
        subject: person.personId,
        limit: RECOMPUTED_BALANCES_PER_MINUTE,
      });
      const { isVerified, ...recomputed } = await withdrawals.recompute(person.personId);
      if (!isVerified)
        throw new Problem(
          500,
          'balance-differs',
          'The balance that is kept is not what the transfers come to. Finance was told.',
        );
      return {
        status: 200,
        body: { verified: true, ...balanceBody(recomputed, await earned(person.personId), now) },
      };
    },
  });
