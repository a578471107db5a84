import { z } from 'zod';
import type { Summaries, SummedDay, Summary } from '../../../domain/earn/stats/port.ts';
import type { Prices } from '../../../domain/earn/price/price.ts';
import { dayAfter, tashkentDay } from '../../../domain/pay/ledger/head.ts';
import { tiyin } from '../../http/pay/fields.ts';
import { defineAdminRoute, type Route } from '../../http/route.ts';
import { PriceBody, priceBody } from './price-body.ts';

export interface SummaryDeps {
  readonly summaries: Summaries;
  readonly prices: Prices;
}

export const summaryRoutes = (deps: SummaryDeps): Route[] => [summary(deps)];

const summedShape = (when: string) =>
  z
    .object({
      people: z.int().meta({ description: 'Who shared traffic.' }),
      sessions: z.int().meta({ description: 'Sessions whose bytes count.' }),
      mb: z.int().meta({ description: 'What phones reported, of 10^6 bytes, rounded down.' }),
      amount: tiyin('What it earns, less what was taken back.'),
      review: tiyin('What a person looks at first.'),
    })
    .meta({ description: when });

const summedBody = ({ amount, review, ...one }: SummedDay) => ({
  ...one,
  amount: amount.toString(),
  review: review.toString(),
});

const withdrawals = (description: string) =>
  z
    .array(
      z.object({
        state: z.string().meta({ description: 'As at `GET /api/withdraw`.', example: 'pending' }),
        count: z.int().meta({ description: 'So many.' }),
        gross: tiyin('What leaves the balances.'),
      }),
    )
    .meta({ description });

const counted = (all: Summary['openWithdrawals']) =>
  all.map(({ state, count, gross }) => ({ state, count, gross: gross.toString() }));

const price = (when: string) =>
  PriceBody.nullable().meta({ description: `${when}; null where none was ever set.` });

const SummaryBody = z.object({
  people: z.int().meta({ description: 'Who has signed in.' }),
  open_sessions: z.int().meta({ description: 'Sessions that go on.' }),
  today: summedShape('Today, in Asia/Tashkent.'),
  last_7_days: summedShape('Seven days of Asia/Tashkent, today among them.'),
  days_waiting: z
    .array(
      z.object({
        day: z.iso.date().meta({ description: 'Of Asia/Tashkent.' }),
        people: z.int().meta({ description: 'For whom it is not closed.' }),
      }),
    )
    .meta({ description: 'Days that could be closed and are not, the oldest first.' }),
  in_review: z
    .object({
      days: z.int().meta({ description: 'Days of sessions.' }),
      amount: tiyin('What they earn if they are paid.'),
    })
    .meta({ description: 'What waits for a person.' }),
  open_appeals: z.int().meta({ description: 'Of days, that nobody has answered: `GET /api/admin/appeals`.' }),
  withdrawals: z
    .object({
      open: withdrawals('Those that are open, by state.'),
      last_7_days: withdrawals('Those that were asked for in the last seven days, by state.'),
    })
    .meta({ description: 'Of people, by state.' }),
  price: z
    .object({ today: price('Of today'), tomorrow: price('Of tomorrow') })
    .meta({ description: 'What a MB earns.' }),
});

const summary = ({ summaries, prices }: SummaryDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/dashboard/summary',
    tag: 'People',
    summary: 'Sum up earning',
    action: 'finance.read',
    answers: { 200: { description: 'As it is now.', schema: SummaryBody } },
    async handle({ now }) {
      const today = tashkentDay(now);
      const [all, ofToday, ofTomorrow] = await Promise.all([
        summaries.read(now),
        prices.of(today),
        prices.of(dayAfter(today)),
      ]);
      const price = { today: priceBody(ofToday), tomorrow: priceBody(ofTomorrow) };
      return { status: 200, body: { ...summaryBody(all), price } };
    },
  });

const summaryBody = (all: Summary) => ({
  people: all.people,
  open_sessions: all.openSessions,
  today: summedBody(all.today),
  last_7_days: summedBody(all.lastWeek),
  days_waiting: all.daysWaiting,
  in_review: { days: all.inReview.days, amount: all.inReview.amount.toString() },
  open_appeals: all.openAppeals,
  withdrawals: { open: counted(all.openWithdrawals), last_7_days: counted(all.recentWithdrawals) },
});
