import { z } from 'zod';
import {
  type PersonPromos,
  PROMO_TRIES_PER_ADDRESS_PER_HOUR,
  PROMO_TRIES_PER_PERSON_PER_HOUR,
  PromoText,
  type RedeemRefusal,
} from '../../../../domain/earn/promo/promo.ts';
import type { Quota } from '../../../../domain/project/quota.ts';
import { netsOf } from '../../../../domain/shared/ip-address.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../../http/page.ts';
import { tiyin } from '../../../http/pay/fields.ts';
import { Problem } from '../../../http/problem.ts';
import { definePersonRoute, type Route } from '../../../http/route.ts';
import { orProblem } from '../refused.ts';

const tag = 'News';

export interface PromoDeps {
  readonly promos: PersonPromos;
}

export const promoRoutes = (deps: PromoDeps): Route[] => [redeem(deps), list(deps)];

const shape = {
  amount: tiyin('What the code is worth.'),
  owed: tiyin('Of it, what paid a debt of the person; the rest is theirs to withdraw.'),
  redeemed_at: z.date().meta({ description: 'When.' }),
};

const RedeemedBody = z
  .object({
    ...shape,
    repeated: z.boolean().meta({ description: 'The person had redeemed it before: nothing has moved.' }),
  })
  .meta({ id: 'PromoRedeemed' });

const redeem = ({ promos }: PromoDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/news/promo',
    tag,
    summary: 'Redeem a promo code',
    description: `Each person redeems a code once; again it shows the same. What they owe is paid first. ${PROMO_TRIES_PER_PERSON_PER_HOUR} tries in an hour, right or wrong. A code that does not exist and one that does not begin yet are answered alike.`,
    session: 'earner',
    body: z.strictObject({ code: PromoText }),
    answers: { 200: { description: 'Redeemed, now or before.', schema: RedeemedBody } },
    problems: [404, 422],
    async handle({ body, person, ip, countFurther }) {
      await countFurther(...quotasOf(person.personId, ip));
      const done = await orProblem(promos.redeem(person.personId, body.code));
      if (!done.ok) throw refusals[done.reason]();
      const { amount, owed, at } = done.redeemed;
      return {
        status: 200,
        body: {
          amount: amount.toString(),
          owed: owed.toString(),
          redeemed_at: at,
          repeated: done.repeated,
        },
      };
    },
  });

/** Fails closed: what can't be counted is a way to guess. */
function quotasOf(personId: string, ip: string): [Quota, ...Quota[]] {
  const quota = { name: 'promo-code', windowSeconds: 3_600, failsClosed: true } as const;
  return [
    { ...quota, subject: `person:${personId}`, limit: PROMO_TRIES_PER_PERSON_PER_HOUR },
    ...netsOf(ip).map(({ subject, times }) => ({
      ...quota,
      subject,
      limit: PROMO_TRIES_PER_ADDRESS_PER_HOUR * times,
    })),
  ];
}

const refusals: Readonly<Record<RedeemRefusal, () => Problem>> = {
  blocked: () => new Problem(422, 'blocked', 'Nothing is paid to this person for now.'),
  'promo-unknown': () => new Problem(404, 'promo-unknown', 'No promo code reads like this now.'),
  'promo-ended': () => new Problem(422, 'promo-ended', 'The time of this promo code is over.'),
  'promo-used-up': () =>
    new Problem(422, 'promo-used-up', 'Others have redeemed this promo code as often as it can be.'),
};

const RedemptionBody = z
  .object({
    id: z.uuid(),
    promo: z.string().meta({ description: 'The code, in capitals.', example: 'WELCOME26' }),
    ...shape,
  })
  .meta({ id: 'PromoRedemption' });

const list = ({ promos }: PromoDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/news/promo',
    tag,
    summary: 'List promo codes that were redeemed',
    session: 'earner',
    query: z.object(pageQuery),
    answers: {
      200: { description: 'The person’s own, the newest first.', schema: pageSchema(RedemptionBody) },
    },
    async handle({ query, person }) {
      const page = await promos.list(person.personId, pageOrder(query));
      return {
        status: 200,
        body: pageBody(page, ({ id, text, amount, owed, at }) => ({
          id,
          promo: text,
          amount: amount.toString(),
          owed: owed.toString(),
          redeemed_at: at,
        })),
      };
    },
  });
