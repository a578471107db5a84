import { z } from 'zod';
import type { SendLinkAgain, SentAgain } from '../../../domain/pay/link/port.ts';
import { PayoutId } from '../../../domain/pay/ids.ts';
import { ById } from '../../http/by-id.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { Problem } from '../../http/problem.ts';
import { defineStaffRoute, type StaffRoute } from '../../http/route.ts';

export interface LinkParts {
  readonly sendLinkAgain: SendLinkAgain;
  /** 32 random bytes as text. Nobody of staff sees it: whoever has it could bind a card of their own. */
  readonly newToken: () => string;
}

/** `payout_link_again` counts an hour. */
const AGAIN_SECONDS = 3_600;

export const linkRoutes = ({ sendLinkAgain, newToken }: LinkParts): StaffRoute[] => [
  defineStaffRoute({
    method: 'post',
    path: '/finance/payouts/{id}/link',
    tag: 'Finance payouts',
    summary: "Send a payee's link again",
    description:
      'To the phone that the payout has, by the bot or by SMS: a new link, and the one before stops working. Once an hour, three times in all; it is ' +
      'written down who asked. What became of it: `GET /finance/lists/{id}/lines`.',
    action: 'batch.make',
    params: ById,
    answers: {
      202: {
        description: 'It is on its way.',
        schema: z.object({ payout_id: z.uuid().meta({ description: 'The payout whose payee is sent it.' }) }),
      },
    },
    problems: [404, 409],
    async handle({ params, staff }) {
      const id = PayoutId.parse(params.id);
      const sent = await sendLinkAgain(id, staff.id, newToken());
      if (typeof sent !== 'string') throw moneyProblem(sent);
      if (sent !== 'made') throw notSent(sent);
      return { status: 202, body: { payout_id: id } };
    },
  }),
];

function notSent(why: Exclude<SentAgain, 'made'>): Problem {
  if (why === 'unknown') return new Problem(404, 'not-found', 'There is no such payout.');
  const headers = why === 'too-soon' ? { 'Retry-After': String(AGAIN_SECONDS) } : {};
  return new Problem(why === 'too-soon' ? 429 : 409, 'link-not-sent', words[why], { headers });
}

const words = {
  'not-waiting':
    'The payout waits for no card: expected one in the state `awaiting-card`, whose time is not over.',
  'on-its-way': 'The link before has not left yet. Ask when it has: `link.sent_at` of its line.',
  'too-soon': 'It was asked for less than an hour ago. Ask again an hour after that.',
  'too-many': 'It was asked for three times. Ask the payee, by another way, whether the phone is theirs.',
} as const satisfies Record<Exclude<SentAgain, 'made' | 'unknown'>, string>;
