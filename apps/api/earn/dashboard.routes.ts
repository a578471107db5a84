import { z } from 'zod';
import type { Stats } from '../../../domain/earn/stats/port.ts';
import type { Prices } from '../../../domain/earn/price/price.ts';
import { INSTALLATIONS_MAX, type TrafficSessions } from '../../../domain/earn/traffic/port.ts';
import { tashkentDay } from '../../../domain/pay/ledger/head.ts';
import type { Withdrawals } from '../../../domain/pay/payout/withdrawals.ts';
import { tiyin } from '../../http/pay/fields.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';
import { balanceBody, balanceShape, requireOwn, TelegramId } from '../pay/own-balance.ts';
import { WithdrawalBody, withdrawalBody } from '../pay/withdraw.routes.ts';
import type { Earned } from '../wire.ts';
import { PriceBody, priceBody } from './price-body.ts';
import { SessionBody, sessionBody } from './session-body.ts';

const tag = 'Dashboard';
const BYTES_PER_MB = 1_000_000;
/** The last ones: `GET /api/withdraw` has all. */
const WITHDRAWALS_MAX = 5;

export interface DashboardDeps {
  readonly stats: Stats;
  readonly sessions: TrafficSessions;
  readonly prices: Prices;
  readonly withdrawals: Withdrawals;
  readonly earned: Earned;
}

export const dashboardRoutes = (deps: DashboardDeps): Route[] => [dashboard(deps)];

const TodayBody = z
  .object({
    day: z.iso.date().meta({ description: 'Of Asia/Tashkent.' }),
    bytes: z.int().meta({ description: 'What the phones reported, in bytes.' }),
    mb: z.number().meta({ description: 'The same, of 10^6 bytes.', example: 40.5 }),
    amount: tiyin('What they earn at the price of today.'),
    review: tiyin('What a person looks at first.'),
  })
  .meta({ description: 'What was shared today.' });

const DashboardBody = z.object({
  balance: z.object(balanceShape).meta({ description: 'As `GET /api/user/balance/{telegram_id}`.' }),
  today: TodayBody,
  price: PriceBody.nullable().meta({ description: 'Of today; null where none was ever set.' }),
  sessions: z.array(SessionBody).meta({ description: 'Those that are open, the newest first.' }),
  withdrawals: z
    .array(WithdrawalBody)
    .meta({ description: 'The last ones, the newest first: `GET /api/withdraw` has all.' }),
});

const dashboard = (deps: DashboardDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/dashboard/{telegram_id}',
    tag,
    summary: 'Show what a person earns',
    description:
      'One request for the first page of an app. The caller’s own; of anybody else, and of nobody, 403.',
    session: 'earner',
    params: z.object({ telegram_id: TelegramId }),
    answers: { 200: { description: 'As it is now.', schema: DashboardBody } },
    async handle({ params, person, now }) {
      await requireOwn(deps.withdrawals, person, params.telegram_id);
      return { status: 200, body: await read(deps, person.personId, now) };
    },
  });

async function read(
  { stats, sessions, prices, withdrawals, earned }: DashboardDeps,
  personId: string,
  now: Date,
) {
  const day = tashkentDay(now);
  const [kept, unposted, today, price, open, last] = await Promise.all([
    withdrawals.balance(personId),
    earned(personId),
    stats.range(personId, { from: day, to: day }),
    prices.of(day),
    sessions.list(personId, { isOpen: true }, { limit: INSTALLATIONS_MAX, after: null }),
    withdrawals.list(personId, { limit: WITHDRAWALS_MAX, after: null }),
  ]);
  return {
    balance: balanceBody(kept, unposted, now),
    today: {
      day,
      bytes: today.bytes,
      mb: today.bytes / BYTES_PER_MB,
      amount: today.amount.toString(),
      review: today.review.toString(),
    },
    price: priceBody(price),
    sessions: open.rows.map(sessionBody),
    withdrawals: last.rows.map(withdrawalBody),
  };
}
