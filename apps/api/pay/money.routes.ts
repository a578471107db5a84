import { z } from 'zod';
import { tiyin } from '../../http/pay/fields.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';
import type { Earned } from '../wire.ts';
import type { WithdrawDeps } from './withdraw.routes.ts';

const tag = 'Money';

export interface MoneyDeps extends Pick<WithdrawDeps, 'withdrawals'> {
  readonly earned: Earned;
}

export const moneyRoutes = (deps: MoneyDeps): Route[] => [balance(deps)];

/** Of Postgres' bigint, which holds Telegram's ids. */
const TelegramId = z
  .string()
  .regex(/^(me|[1-9]\d{0,17})$/, 'expected `me`, or a numeric id of Telegram')
  .meta({ description: '`me`, or the caller’s own numeric id at Telegram.', example: 'me' });

const BalanceBody = z.object({
  available: tiyin('What can be withdrawn.'),
  held: tiyin('Set aside for withdrawals under way.'),
  pending: tiyin('Earned, on days that are not closed.'),
  review: tiyin('Earned, and looked at by a person first.'),
  receivable: tiyin('What is owed: taken back after it was paid out.'),
  currency: z.literal('UZS').meta({ description: 'ISO 4217.' }),
  as_of: z.date().meta({ description: 'When it was read.' }),
});

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
        schema: BalanceBody,
      },
    },
    async handle({ params, person, now }) {
      const { telegram_id: asked } = params;
      if (asked !== 'me' && !(await withdrawals.isTheirs(person.personId, asked)))
        throw new Problem(403, 'not-yours', 'This is not the Telegram account of whoever asks.');
      const [{ available, held, receivable }, { pending, review }] = await Promise.all([
        withdrawals.balance(person.personId),
        earned(person.personId),
      ]);
      return {
        status: 200,
        body: {
          available: available.toString(),
          held: held.toString(),
          pending: pending.toString(),
          review: review.toString(),
          receivable: receivable.toString(),
          currency: 'UZS',
          as_of: now,
        },
      };
    },
  });
