import { z } from 'zod';
import type { MoneyApprovals } from '../../../domain/identity/approval/port.ts';
import { DestinationId, PayoutId, RailId } from '../../../domain/pay/ids.ts';
import type { Asked, Confirming, Withdrawal, Withdrawals } from '../../../domain/pay/payout/withdrawals.ts';
import { feeOf, type FeeRate } from '../../../domain/pay/payout/fee.ts';
import { endOf } from '../../../domain/pay/payout/ends.ts';
import { PayoutState } from '../../../domain/pay/payout/payout.ts';
import type { Refused } from '../../../domain/job/decision.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { ById } from '../../http/by-id.ts';
import { reasonShape } from '../../http/fields.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { tiyin, TiyinField } from '../../http/pay/fields.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { keptAnswer, moneyRequest, refusedAnswer } from '../../http/pay/money-request.ts';
import type { Problem } from '../../http/problem.ts';
import { definePersonRoute, type PersonRequest, type Route } from '../../http/route.ts';

const tag = 'Money';

export interface WithdrawDeps {
  /** Of whose book the money is. */
  readonly book: ProjectId;
  readonly withdrawals: Withdrawals;
  /** What is taken of each; what the rail charges is our expense. */
  readonly fee: FeeRate;
  /** Asks a person's device; null where nothing sends pushes, and no device can be bound. */
  readonly approvals: (MoneyApprovals & { readonly notSent: (refusal: Refused) => Problem }) | null;
}

export const withdrawRoutes = (deps: WithdrawDeps): Route[] => [ask(deps), list(deps), cancel(deps)];

const amounts = {
  gross: tiyin('What leaves the balance.'),
  fee: tiyin('Of it, what we take.'),
  net: tiyin('Of it, what the card gets.'),
};

const AskedBody = z.object({
  id: z.uuid(),
  state: PayoutState.meta({
    description: '`confirming`: the device is asked; `pending`: finance pays it.',
  }),
  ...amounts,
  number: z.string().optional().meta({
    description: 'Two digits that the person types on their device, while it is asked.',
    example: '07',
  }),
});

const ask = (deps: WithdrawDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/withdraw',
    tag,
    summary: 'Withdraw money to a card',
    description:
      'From 10 000 to 5 000 000 UZS, 10 000 000 UZS a day (Asia/Tashkent), three under way. The money is set aside at once. Where a device is bound, show `number`, ' +
      'which the person types in Navbat’s app within 15 minutes; else the money goes back. Then finance pays it. A 429 here means that the withdrawal is kept and the device could not be asked: repeat the request with its key. ' +
      'A 409 `payout-not-open`: it was cancelled while the device was asked.',
    session: 'earner',
    fresh: true,
    idempotent: 'required',
    body: z.strictObject({
      amount: TiyinField,
      destination_id: DestinationId.meta({ description: 'One of `GET /api/profile/destinations`.' }),
    }),
    answers: {
      202: {
        description: 'Committed, and the money is set aside.',
        schema: AskedBody,
      },
    },
    problems: [409],
    async handle(request) {
      const { body, person } = request;
      const asked = { amount: body.amount.toString(), destination_id: body.destination_id };
      const money = moneyRequest(request, { project: deps.book, id: person.personId }, 'withdraw', asked);
      const fee = feeOf(body.amount, deps.fee);
      const of = { amount: body.amount, fee, destinationId: body.destination_id };
      const answered = await deps.withdrawals.ask(money, of, {
        accepted: (view) => ({ status: 202, body: askedBody(view) }),
        refused: refusedAnswer,
      });
      const { repeated: _again, ...answer } = keptAnswer(answered);
      const number = await askDevice(deps, request, answer.body as ReturnType<typeof askedBody>);
      return { ...answer, body: { ...(answer.body as object), ...number } };
    },
  });

const askedBody = ({ id, state, gross, fee, net }: Asked) => ({
  id,
  state,
  gross: gross.toString(),
  fee: fee.toString(),
  net: net.toString(),
});

/**
 * After the commit, since a challenge has a commit of its own. Killed between, the repeat of the request asks; where nobody repeats it, the
 * money goes back after 15 minutes. The key is the withdrawal's: however often it is asked for, it is one challenge with one number.
 *
 * @throws Problem 429 where the device may not be asked now, 409 with its state where the withdrawal was cancelled meanwhile.
 */
async function askDevice(
  { approvals, withdrawals, book }: WithdrawDeps,
  {
    person,
    requestId,
    ip,
    userAgent,
  }: Pick<PersonRequest<unknown, unknown, unknown>, 'person' | 'requestId' | 'ip' | 'userAgent'>,
  { id, state }: Pick<ReturnType<typeof askedBody>, 'id' | 'state'>,
): Promise<{ number?: string }> {
  const confirming = state === 'confirming' && approvals ? await withdrawals.confirming(id) : null;
  if (!confirming || !approvals) return {};
  const asked = await approvals.ask({
    projectId: book,
    recipientId: person.recipientId,
    key: `withdrawal:${id}`,
    purpose: 'navbat.withdraw',
    payment: { amount: confirming.gross.toString(), currency: 'UZS', payee: payeeOf(confirming) },
    metadata: { withdrawal: id },
    client: { ip, ...(userAgent === null ? {} : { user_agent: userAgent }) },
    requestId,
  });
  if (!asked.ok) throw approvals.notSent(asked);
  const refusal = await withdrawals.challenged(id, asked.verificationId);
  if (refusal) throw moneyProblem(refusal);
  return asked.number === null ? {} : { number: asked.number };
}

const payeeOf = ({ last4, rail }: Confirming) => `${rail === 'multicard' ? 'Card' : 'Account'} •••• ${last4}`;

export const WithdrawalBody = z
  .object({
    id: z.uuid(),
    state: z.enum([...PayoutState.options, 'review']).meta({
      description:
        '`confirming`: the device is asked; `pending`: finance pays it; `review`: it waits until a block of the person has ended; `batched`: on its way; `paid`, `failed`, `cancelled`; `returned`: it came back, and so did the money.',
    }),
    ...amounts,
    destination: z
      .object({
        id: z.uuid().meta({ description: 'Of the card.' }),
        rail: RailId.meta({ description: 'By which it is paid.' }),
        last4: z.string().meta({ description: 'Of the card.', example: '1234' }),
      })
      .meta({ description: 'Where it goes.' }),
    ...reasonShape,
    created_at: z.date(),
    state_at: z.date().meta({ description: 'Since when it is in this state.' }),
  })
  .meta({ id: 'Withdrawal' });

export const withdrawalBody = ({ gross, fee, net, createdAt, stateAt, reason, ...one }: Withdrawal) => ({
  id: one.id,
  state: one.state,
  gross: gross.toString(),
  fee: fee.toString(),
  net: net.toString(),
  destination: one.destination,
  ...endOf(reason),
  created_at: createdAt,
  state_at: stateAt,
});

const list = ({ withdrawals }: WithdrawDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/withdraw',
    tag,
    summary: 'List withdrawals',
    session: 'earner',
    query: z.object(pageQuery),
    answers: {
      200: { description: 'The person’s own, the newest first.', schema: pageSchema(WithdrawalBody) },
    },
    async handle({ query, person }) {
      const page = await withdrawals.list(person.personId, pageOrder(query));
      return { status: 200, body: pageBody(page, withdrawalBody) };
    },
  });

const cancel = ({ withdrawals, book }: WithdrawDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/withdraw/{id}/cancel',
    tag,
    summary: 'Cancel a withdrawal',
    description: 'Before finance has it in a batch: 409 then. The money is back at once.',
    session: 'earner',
    params: ById,
    idempotent: 'required',
    answers: {
      200: {
        description: 'Cancelled.',
        schema: z.object({ id: z.uuid(), state: z.literal('cancelled') }),
      },
    },
    problems: [404, 409],
    async handle(request) {
      const { params, person } = request;
      const money = moneyRequest(request, { project: book, id: person.personId }, 'withdraw.cancel', params);
      const answered = await withdrawals.cancel(money, PayoutId.parse(params.id), {
        accepted: (body) => ({ status: 200, body }),
        refused: refusedAnswer,
      });
      const { repeated: _again, ...answer } = keptAnswer(answered);
      return answer;
    },
  });
