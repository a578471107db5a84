import { z } from 'zod';
import { DestinationId, RailId } from '../../../domain/pay/ids.ts';
import type { Destination } from '../../../domain/pay/payout/withdrawals.ts';
import { ById } from '../../http/by-id.ts';
import { tiyin } from '../../http/pay/fields.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';
import type { WithdrawDeps } from './withdraw.routes.ts';

const tag = 'Money';

export const moneyRoutes = (deps: Pick<WithdrawDeps, 'withdrawals'>): Route[] => [
  balance(deps),
  listDestinations(deps),
  removeDestination(deps),
];

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

const balance = ({ withdrawals }: Pick<WithdrawDeps, 'withdrawals'>) =>
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
      const { available, held, receivable } = await withdrawals.balance(person.personId);
      return {
        status: 200,
        body: {
          available: available.toString(),
          held: held.toString(),
          // Earning is not metered yet.
          pending: '0',
          review: '0',
          receivable: receivable.toString(),
          currency: 'UZS',
          as_of: now,
        },
      };
    },
  });

const DestinationBody = z
  .object({
    id: z.uuid(),
    rail: RailId.meta({ description: 'By which it is paid.' }),
    last4: z.string().meta({ description: 'Its last four digits.', example: '1234' }),
    usable_from: z.date().meta({ description: 'Nothing is paid to it before.' }),
    made_at: z.date().meta({ description: 'When it was bound.' }),
    distrusted: z
      .boolean()
      .meta({ description: 'A payment to it came back: nothing is paid to it any more. Bind another.' }),
  })
  .meta({ id: 'PayoutDestination' });

const destinationBody = ({ id, rail, last4, usableFrom, madeAt, distrusted }: Destination) => ({
  id,
  rail,
  last4,
  usable_from: usableFrom,
  made_at: madeAt,
  distrusted,
});

const listDestinations = ({ withdrawals }: Pick<WithdrawDeps, 'withdrawals'>) =>
  definePersonRoute({
    method: 'get',
    path: '/api/profile/destinations',
    tag,
    summary: 'List cards',
    description: 'Where the person can be paid: three at most.',
    session: 'earner',
    answers: {
      200: { description: 'Those in use.', schema: z.object({ data: z.array(DestinationBody) }) },
    },
    async handle({ person }) {
      const found = await withdrawals.destinations(person.personId);
      return { status: 200, body: { data: found.map(destinationBody) } };
    },
  });

const removeDestination = ({ withdrawals }: Pick<WithdrawDeps, 'withdrawals'>) =>
  definePersonRoute({
    method: 'delete',
    path: '/api/profile/destinations/{id}',
    tag,
    summary: 'Remove a card',
    description:
      'Nothing more is paid to it; what is on its way has its end. Binding it anew takes 24 hours again.',
    session: 'earner',
    fresh: true,
    params: ById,
    answers: { 204: { description: 'Removed.', schema: z.undefined() } },
    problems: [404],
    async handle({ params, person }) {
      const wasThere = await withdrawals.removeDestination(person.personId, DestinationId.parse(params.id));
      if (!wasThere) throw new Problem(404, 'not-found', 'The person has no such card.');
      return { status: 204, body: undefined };
    },
  });
