import { z } from 'zod';
import { PriceChangeId } from '../../../domain/earn/ids.ts';
import {
  CHANGE_ALONE_PERCENT,
  type PriceAsked,
  type PriceRefusal,
  type Prices,
  TIYIN_PER_MB_MAX,
} from '../../../domain/earn/price/price.ts';
import { tashkentDay } from '../../../domain/pay/ledger/head.ts';
import { ById } from '../../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { defineAdminRoute, defineOpenRoute, type Route } from '../../http/route.ts';
import { orProblem } from './refused.ts';

const tag = 'Prices';

export interface PriceDeps {
  readonly prices: Prices;
}

export const priceRoutes = (deps: PriceDeps): Route[] => [
  show(deps),
  list(deps),
  set(deps),
  end(deps, 'agree'),
  end(deps, 'withdraw'),
];

const rate = z.int().min(1).max(TIYIN_PER_MB_MAX).meta({
  description: 'Tiyin for a MB, which is 10^6 bytes.',
  example: 150,
});

const show = ({ prices }: PriceDeps) =>
  defineOpenRoute({
    method: 'get',
    path: '/api/daily_price',
    tag,
    summary: 'Show the price of today',
    because: 'who thinks of sharing traffic asks first what it earns.',
    answers: {
      200: {
        description: 'Of today, in Asia/Tashkent.',
        schema: z.object({
          day: z.iso.date(),
          tiyin_per_mb: rate,
          carried: z.boolean().meta({ description: 'Nobody set one: it is that of the day before.' }),
        }),
      },
    },
    problems: [404],
    async handle({ now }) {
      const price = await prices.of(tashkentDay(now));
      if (!price) throw new Problem(404, 'no-price', 'No price of a MB was ever set.');
      const { day, tiyinPerMb, carried } = price;
      return { status: 200, body: { day, tiyin_per_mb: tiyinPerMb, carried } };
    },
  });

const AskedBody = z.object({
  state: z.enum(['set', 'asked']),
  id: z.uuid().nullable().meta({ description: 'Of the change, where another person has to agree.' }),
});

const set = ({ prices }: PriceDeps) =>
  defineAdminRoute({
    method: 'post',
    path: '/api/admin/daily_price',
    tag,
    summary: 'Set the price of a day',
    description: `For a day that has not begun in Asia/Tashkent. Where it differs by more than ${CHANGE_ALONE_PERCENT} % from the last price that two people agreed to (or the first of all), or two agreed to one for this day, another person has to agree. The very first price may be for today.`,
    action: 'price.set',
    body: z.strictObject({
      day: z.iso.date().meta({ description: 'Of Asia/Tashkent.' }),
      tiyin_per_mb: rate,
    }),
    answers: {
      200: { description: 'Set.', schema: AskedBody },
      202: {
        description: 'Asked: another person agrees, `POST /api/admin/daily_price/{id}/agree`.',
        schema: AskedBody,
      },
    },
    problems: [422],
    async handle({ body, staff }) {
      const asked = taken(await orProblem(prices.set(body.day, body.tiyin_per_mb, staff.id)));
      return { status: asked.state === 'set' ? 200 : 202, body: asked };
    },
  });

const end = ({ prices }: PriceDeps, what: 'agree' | 'withdraw') =>
  defineAdminRoute({
    method: 'post',
    path: `/api/admin/daily_price/{id}/${what}`,
    tag,
    summary: what === 'agree' ? 'Agree to a price' : 'Withdraw a price',
    description:
      what === 'agree'
        ? 'By another person than the one who asked, before its day has begun.'
        : 'By who asked for it, or by another who does not agree.',
    action: 'price.set',
    params: ById,
    answers: { 200: { description: 'Done.', schema: AskedBody } },
    problems: [404, 409, 422],
    async handle({ params, staff }) {
      const body = taken(await orProblem(prices[what](PriceChangeId.parse(params.id), staff.id)));
      return { status: 200, body };
    },
  });

function taken(asked: PriceAsked) {
  if (!asked.ok) throw problems[asked.reason]();
  return { state: asked.state, id: asked.id };
}

const problems: Readonly<Record<PriceRefusal, () => Problem>> = {
  'day-begun': () => new Problem(422, 'day-begun', 'The day has begun in Tashkent.'),
  'day-too-far': () => new Problem(422, 'day-too-far', 'The day is more than a year ahead.'),
  'own-change': () => new Problem(409, 'own-change', 'Another member of staff has to agree.'),
  'asker-gone': () =>
    new Problem(409, 'price-asker-gone', 'Who asked for it is no member of finance any more: ask anew.'),
  'change-ended': () => new Problem(409, 'change-ended', 'It was agreed to or withdrawn before.'),
  'unknown-change': () => new Problem(404, 'not-found', 'There is no such change of a price.'),
};

const ChangeBody = z
  .object({
    id: z.uuid(),
    day: z.iso.date().meta({ description: 'For which it was asked.' }),
    tiyin_per_mb: rate,
    state: z.enum(['asked', 'agreed', 'withdrawn']),
    asked_by: z.string().meta({ description: 'E-mail of who asked.' }),
    asked_at: z.date(),
    ended_by: z
      .string()
      .nullable()
      .meta({ description: 'E-mail of who agreed or withdrew it; null while it is asked.' }),
    ended_at: z.date().nullable().meta({ description: 'When; null while it is asked.' }),
  })
  .meta({ id: 'PriceChange' });

const list = ({ prices }: PriceDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/daily_price',
    tag,
    summary: 'List changes that took two people',
    action: 'price.set',
    query: z.object(pageQuery),
    answers: { 200: { description: 'The newest first.', schema: pageSchema(ChangeBody) } },
    async handle({ query }) {
      const page = await prices.changes(pageOrder(query));
      return {
        status: 200,
        body: pageBody(page, (one) => ({
          id: one.id,
          day: one.day,
          tiyin_per_mb: one.tiyinPerMb,
          state: one.state,
          asked_by: one.askedBy,
          asked_at: one.askedAt,
          ended_by: one.endedBy,
          ended_at: one.endedAt,
        })),
      };
    },
  });
