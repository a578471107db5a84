import { z } from 'zod';
import type { CancelPayout } from '../../../domain/pay/finance/payouts.ts';
import { PayoutId } from '../../../domain/pay/ids.ts';
import { PayoutState } from '../../../domain/pay/payout/payout.ts';
import { ById } from '../../http/by-id.ts';
import { moneyText } from '../../http/pay/fields.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { defineStaffRoute, type StaffRoute } from '../../http/route.ts';

export interface PayoutCancelParts {
  readonly cancelPayout: CancelPayout;
}

const REASON_CHARACTERS_MAX = 500;

export const payoutCancelRoutes = ({ cancelPayout }: PayoutCancelParts): StaffRoute[] => [
  defineStaffRoute({
    method: 'post',
    path: '/finance/payouts/{id}/cancel',
    tag: 'Finance payouts',
    summary: 'Cancel a payout',
    description:
      'One that stands in no batch: `confirming`, `awaiting-card` or `pending`. Its money is back where it was, in the same commit. One person is ' +
      'enough: it pays nobody. A line of a draft is dropped first.',
    action: 'batch.approve',
    params: ById,
    body: z.strictObject({
      reason: moneyText(REASON_CHARACTERS_MAX).meta({ description: 'Why, in a sentence: others read it.' }),
    }),
    answers: {
      200: {
        description: 'It is cancelled.',
        schema: z.object({
          id: z.uuid().meta({ description: 'The payout.' }),
          state: PayoutState.meta({ description: '`cancelled`.' }),
          version: z.int().meta({ description: 'Counts its changes.' }),
        }),
      },
    },
    problems: [404, 409],
    async handle({ params, body, staff }) {
      const id = PayoutId.parse(params.id);
      const done = await cancelPayout(id, staff.id, body.reason);
      if (!done.ok) throw moneyProblem(done.refusal);
      return { status: 200, body: { id, state: done.state, version: done.version } };
    },
  }),
];
