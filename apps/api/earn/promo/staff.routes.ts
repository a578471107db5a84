import { z } from 'zod';
import {
  NewPromoText,
  type Promo,
  PROMO_ALONE_TIYIN_MAX,
  PROMO_LIFE_DAYS_MAX,
  PROMO_TIYIN_MAX,
  PROMO_USES_MAX,
  type PromoDone,
  PromoId,
  type PromoRefusal,
  promoStates,
  type StaffPromos,
} from '../../../../domain/earn/promo/promo.ts';
import { ById } from '../../../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../../http/page.ts';
import { tiyin, TiyinField } from '../../../http/pay/fields.ts';
import { Problem } from '../../../http/problem.ts';
import { defineAdminRoute, type Route } from '../../../http/route.ts';
import { orProblem } from '../refused.ts';

const tag = 'News';
const action = 'promo.set';

export interface StaffPromoDeps {
  readonly staffPromos: StaffPromos;
}

export const staffPromoRoutes = (deps: StaffPromoDeps): Route[] => [
  list(deps),
  make(deps),
  end(deps, 'agree'),
  end(deps, 'end'),
];

const PromoBody = z
  .object({
    id: z.uuid(),
    promo: z.string().meta({ description: 'What people type, in any case.', example: 'WELCOME26' }),
    amount: tiyin('For each who redeems it.'),
    budget: tiyin('For all of its uses.'),
    uses_max: z.int().meta({ description: 'How many people may redeem it.' }),
    uses: z.int().meta({ description: 'How many have.' }),
    valid_from: z.date().meta({ description: 'From then on it is redeemed.' }),
    valid_to: z.date().meta({ description: 'Until then.' }),
    state: z.enum(promoStates).meta({
      description:
        '`asked`: another person has to agree; `active`: redeemed while it is valid; `withdrawn`: it never was active; `ended`: by staff.',
    }),
    asked_by: z.string().meta({ description: 'E-mail of who made it.' }),
    asked_at: z.date(),
    agreed_by: z.string().nullable().meta({
      description: 'E-mail of the second person; null where it took none, or nobody has agreed yet.',
    }),
    ended_by: z.string().nullable().meta({ description: 'E-mail of who ended it; null where nobody has.' }),
  })
  .meta({ id: 'PromoCode' });

const promoBody = (one: Promo) => ({
  id: one.id,
  promo: one.text,
  amount: one.amount.toString(),
  budget: (one.amount * BigInt(one.usesMax)).toString(),
  uses_max: one.usesMax,
  uses: one.uses,
  valid_from: one.validFrom,
  valid_to: one.validTo,
  state: one.state,
  asked_by: one.askedBy,
  asked_at: one.askedAt,
  agreed_by: one.agreedBy,
  ended_by: one.endedBy,
});

const list = ({ staffPromos }: StaffPromoDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/promo',
    tag,
    summary: 'List promo codes',
    action,
    query: z.object({
      state: z.enum(promoStates).optional().meta({ description: 'Only those in this state.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'The newest first.', schema: pageSchema(PromoBody) } },
    async handle({ query }) {
      const page = await staffPromos.list(query.state ?? null, pageOrder(query));
      return { status: 200, body: pageBody(page, promoBody) };
    },
  });

const amount = TiyinField.refine((value) => value <= PROMO_TIYIN_MAX, {
  error: `expected at most ${PROMO_TIYIN_MAX} tiyin`,
});
const time = z.iso.datetime({ offset: true });

const MakeBody = z
  .strictObject({
    code: NewPromoText,
    amount: amount.meta({ description: 'For each who redeems it, in tiyin.', example: '500000' }),
    uses_max: z
      .int()
      .min(1)
      .max(PROMO_USES_MAX)
      .optional()
      .meta({ description: 'How many people may redeem it; or else `budget`.' }),
    budget: TiyinField.optional().meta({
      description: 'For all of its uses, in tiyin: as many as it pays for; or else `uses_max`.',
    }),
    valid_from: time
      .optional()
      .meta({ description: 'From then on it is redeemed; now where it is left out.' }),
    valid_to: time.meta({ description: `Until then, at most ${PROMO_LIFE_DAYS_MAX} days ahead.` }),
  })
  .refine(({ uses_max, budget }) => (uses_max === undefined) !== (budget === undefined), {
    error: 'expected either uses_max or budget',
    path: ['uses_max'],
  })
  .refine((body) => usesOf(body) >= 1n && usesOf(body) <= BigInt(PROMO_USES_MAX), {
    error: `expected a budget of 1 to ${PROMO_USES_MAX} times the amount`,
    path: ['budget'],
  });

const usesOf = ({ amount: each, uses_max: uses, budget }: MadeOf): bigint =>
  uses === undefined ? (budget ?? 0n) / each : BigInt(uses);
interface MadeOf {
  readonly amount: bigint;
  readonly uses_max?: number | undefined;
  readonly budget?: bigint | undefined;
}

const make = ({ staffPromos }: StaffPromoDeps) =>
  defineAdminRoute({
    method: 'post',
    path: '/api/admin/promo',
    tag,
    summary: 'Make a promo code',
    description: `Where its budget, with those of the codes that you made alone in the last 24 hours, is above ${PROMO_ALONE_TIYIN_MAX} tiyin, another person has to agree.`,
    action,
    body: MakeBody,
    answers: {
      201: { description: 'Active.', schema: PromoBody },
      202: {
        description: 'Asked: another person agrees, `POST /api/admin/promo/{id}/agree`.',
        schema: PromoBody,
      },
    },
    problems: [409, 422],
    async handle({ body, staff, now }) {
      const order = {
        text: body.code,
        amount: body.amount,
        usesMax: Number(usesOf(body)),
        validFrom: body.valid_from === undefined ? now : new Date(body.valid_from),
        validTo: new Date(body.valid_to),
      };
      const promo = taken(await orProblem(staffPromos.make(order, staff.id)));
      return { status: promo.state === 'asked' ? 202 : 201, body: promo };
    },
  });

const end = ({ staffPromos }: StaffPromoDeps, what: 'agree' | 'end') =>
  defineAdminRoute({
    method: 'post',
    path: `/api/admin/promo/{id}/${what}`,
    tag,
    summary: what === 'agree' ? 'Agree to a promo code' : 'End a promo code',
    description:
      what === 'agree'
        ? 'By another person than the one who made it.'
        : 'Nobody redeems it any more. One that was not agreed to is withdrawn. Twice: the second changes nothing.',
    action,
    params: ById,
    answers: { 200: { description: 'As it is now.', schema: PromoBody } },
    problems: [404, 409],
    async handle({ params, staff }) {
      const done = await orProblem(staffPromos[what](PromoId.parse(params.id), staff.id));
      return { status: 200, body: taken(done) };
    },
  });

function taken(done: PromoDone) {
  if (!done.ok) throw refusals[done.reason]();
  return promoBody(done.promo);
}

const refusals: Readonly<Record<PromoRefusal, () => Problem>> = {
  'promo-dates': () =>
    new Problem(
      422,
      'promo-dates',
      `Expected a valid_to that is ahead, after valid_from, and not more than ${PROMO_LIFE_DAYS_MAX} days.`,
    ),
  'promo-taken': () => new Problem(409, 'promo-taken', 'There is a promo code that reads like this, or was.'),
  'unknown-promo': () => new Problem(404, 'not-found', 'There is no such promo code.'),
  'promo-agreed': () => new Problem(409, 'promo-agreed', 'It waits for nobody: it is active, or has ended.'),
  'own-promo': () => new Problem(409, 'own-promo', 'Another member of staff has to agree.'),
  'asker-gone': () =>
    new Problem(409, 'promo-asker-gone', 'Who made it is no member of finance any more: make it anew.'),
};
