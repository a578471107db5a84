import { z } from 'zod';
import { PayoutId } from '../../../domain/pay/ids.ts';
import type {
  AskedPayout,
  CustomerPayout,
  CustomerPayouts,
} from '../../../domain/pay/payout/customer-payouts.ts';
import { holdsCardNumber } from '../../../domain/pay/list/card-number.ts';
import { endOf } from '../../../domain/pay/payout/ends.ts';
import { PayoutState } from '../../../domain/pay/payout/payout.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { onceValid } from '../../../domain/shared/refine.ts';
import type { BodyLimits } from '../../http/body.ts';
import { ById } from '../../http/by-id.ts';
import { PhoneField, reasonShape } from '../../http/fields.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { noCard, payeeText, tiyin, TiyinField } from '../../http/pay/fields.ts';
import { keptAnswer, moneyRequest, refusedAnswer } from '../../http/pay/money-request.ts';
import { Problem } from '../../http/problem.ts';
import { type Answer, defineRoute, type Route, type RouteRequest } from '../../http/route.ts';

const tag = 'Payouts';

export interface PayoutDeps {
  /** In which all money is, whoever's. */
  readonly book: ProjectId;
  readonly payouts: CustomerPayouts;
}

export const payoutRoutes = (deps: PayoutDeps): Route[] => [
  ask(deps),
  askMany(deps),
  list(deps),
  find(deps),
  cancel(deps),
];

/** As one commit of a second or two takes. */
const PAYOUTS_A_BATCH = 500;
/** Of each order five members, and the commas between them, count. */
const bodyLimits: BodyLimits = { bytes: 524_288, parts: 10 * PAYOUTS_A_BATCH + 100 };
const NAME_CHARACTERS_MAX = 100;
const TEXT_CHARACTERS_MAX = 200;
const TIYIN_OF_UZS = 100n;

/** Asks for money: never a publishable key, never a test key. */
const access = { tag, scope: 'payouts', testKeys: 'refused' } as const;

const Order = z.strictObject({
  phone: PhoneField,
  name: payeeText(NAME_CHARACTERS_MAX).meta({
    description: 'Of the payee. It is compared with the name on the card.',
    example: 'Aziza Karimova',
  }),
  amount: TiyinField,
  purpose: payeeText(TEXT_CHARACTERS_MAX).meta({
    description: 'What for: the payee reads it. No address of a page, no @name, no e-mail, no phone number.',
    example: 'Delivery, November',
  }),
  reference: z
    .string()
    .max(TEXT_CHARACTERS_MAX)
    .regex(/^[!-~]+$/, 'expected visible ASCII characters without spaces')
    .refine((text) => !holdsCardNumber(text), noCard)
    .meta({
      description: 'Your own. Of your project it stands for this payout for ever, whichever key asks.',
      example: 'invoice-4711',
    }),
});
type Order = z.infer<typeof Order>;

const Asked = z
  .object({
    id: z.uuid(),
    reference: z.string().meta({ description: 'Your own.' }),
    state: PayoutState.meta({
      description:
        '`awaiting-card`: the payee was sent a link; `pending`: they have a card, and finance pays it.',
    }),
    repeated: z
      .boolean()
      .meta({ description: 'The reference stood for this very payout before: nothing new was asked for.' }),
  })
  .meta({ id: 'AskedPayout' });

const words =
  'Out of what your project has paid in, which is set aside at once. Payees without a card are sent a link by Telegram or SMS, by which they bind one within 14 days; else the money is yours again. ' +
  'Two people of finance approve what is paid. Follow it by the events `payout.*` or `GET /payouts/{id}`.';

const ask = (deps: PayoutDeps) =>
  defineRoute({
    ...access,
    method: 'post',
    path: '/payouts',
    summary: 'Ask for a payout',
    description: words,
    idempotent: 'required',
    body: Order,
    answers: { 202: { description: 'Committed.', schema: Asked } },
    async handle(request) {
      const { repeated: _again, ...answer } = await askAll(deps, request, [request.body], 'payout');
      const [one] = (answer.body as { data: readonly unknown[] }).data;
      return { ...answer, body: one };
    },
  });

const askMany = (deps: PayoutDeps) =>
  defineRoute({
    ...access,
    method: 'post',
    path: '/payouts/batches',
    summary: 'Ask for many payouts',
    description: `${words} All or none: where one is refused, so are the others.`,
    idempotent: 'required',
    body: z
      .strictObject({
        payouts: z
          .array(Order)
          .min(1)
          .max(PAYOUTS_A_BATCH)
          .meta({ description: 'Each with a reference of its own.' }),
      })
      .refine(({ payouts }) => new Set(payouts.map(({ reference }) => reference)).size === payouts.length, {
        ...onceValid,
        error: 'expected another `reference` of each',
        path: ['payouts'],
      }),
    bodyLimits,
    answers: {
      202: {
        description: 'Committed.',
        schema: z.object({ data: z.array(Asked).meta({ description: 'In the order asked.' }) }),
      },
    },
    problems: [413],
    async handle(request) {
      const { repeated: _again, ...answer } = await askAll(deps, request, request.body.payouts, 'payouts');
      return answer;
    },
  });

async function askAll(
  { book, payouts }: PayoutDeps,
  request: RouteRequest<unknown, unknown, unknown>,
  orders: readonly Order[],
  what: string,
): Promise<Answer & { readonly repeated: boolean }> {
  const asked = orders.map(({ amount, ...order }) => ({ ...order, amount: amount.toString() }));
  const { caller } = request;
  const money = moneyRequest(request, { project: book, id: caller.keyId }, what, asked);
  const answered = await payouts.ask(money, payingKey(caller), orders, {
    accepted: (made) => ({ status: 202, body: { data: made.map(askedBody) } }),
    refused: refusedAnswer,
  });
  return keptAnswer(answered);
}

const askedBody = ({ id, reference, state, repeated }: AskedPayout) => ({ id, reference, state, repeated });

const payingKey = ({ projectId, keyId, settings }: RouteRequest<unknown, unknown, unknown>['caller']) => ({
  funder: projectId,
  keyId,
  dayMax: BigInt(settings.payouts_daily_uzs) * TIYIN_OF_UZS,
});

const Payout = z
  .object({
    id: z.uuid(),
    reference: z.string().meta({ description: 'Your own.' }),
    state: PayoutState.meta({
      description:
        '`awaiting-card`: the payee was sent a link; `pending`: waits for finance; `batched`: on its way; `paid`, `failed`, `cancelled`; `returned`: came back after it was paid.',
    }),
    ...reasonShape,
    amount: tiyin('What you asked for.'),
    fee: tiyin('Of it, what we take.'),
    phone: z.string(),
    name: z.string().nullable().meta({ description: 'Of the payee, as you gave it.' }),
    purpose: z.string().nullable().meta({ description: 'As you gave it.' }),
    created_at: z.date(),
    state_at: z.date().meta({ description: 'Since when it is in this state.' }),
    expires_at: z.date().nullable().meta({
      description: 'Until when the payee may bind a card; null where nobody is waited for.',
    }),
  })
  .meta({ id: 'Payout' });

const payoutBody = (payout: CustomerPayout) => ({
  id: payout.id,
  reference: payout.reference,
  state: payout.state,
  ...endOf(payout.reason),
  amount: payout.gross.toString(),
  fee: payout.fee.toString(),
  phone: payout.phone,
  name: payout.name,
  purpose: payout.purpose,
  created_at: payout.createdAt,
  state_at: payout.stateAt,
  expires_at: payout.expiresAt,
});

const list = ({ payouts }: PayoutDeps) =>
  defineRoute({
    ...access,
    method: 'get',
    path: '/payouts',
    summary: 'List payouts',
    query: z.object({
      state: PayoutState.optional().meta({ description: 'Those in this state alone.' }),
      reference: z
        .string()
        .max(TEXT_CHARACTERS_MAX)
        .optional()
        .meta({ description: 'The one of this reference.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'Those of your project, the newest first.', schema: pageSchema(Payout) } },
    async handle({ query, caller }) {
      const page = await payouts.list(caller.projectId, query, pageOrder(query));
      return { status: 200, body: pageBody(page, payoutBody) };
    },
  });

const find = ({ payouts }: PayoutDeps) =>
  defineRoute({
    ...access,
    method: 'get',
    path: '/payouts/{id}',
    summary: 'Show a payout',
    params: ById,
    answers: { 200: { description: 'The payout.', schema: Payout } },
    problems: [404],
    async handle({ params, caller }) {
      const found = await payouts.find(caller.projectId, PayoutId.parse(params.id));
      if (!found) throw new Problem(404, 'not-found', 'The project has asked for no such payout.');
      return { status: 200, body: payoutBody(found) };
    },
  });

const cancel = ({ book, payouts }: PayoutDeps) =>
  defineRoute({
    ...access,
    method: 'post',
    path: '/payouts/{id}/cancel',
    summary: 'Cancel a payout',
    description: 'Before finance has it in a batch: 409 then. The money is yours again at once.',
    params: ById,
    idempotent: 'required',
    answers: {
      200: { description: 'Cancelled.', schema: z.object({ id: z.uuid(), state: z.literal('cancelled') }) },
    },
    problems: [404, 409],
    async handle(request) {
      const { params, caller } = request;
      const money = moneyRequest(request, { project: book, id: caller.keyId }, 'payout.cancel', params);
      const answered = await payouts.cancel(money, payingKey(caller), PayoutId.parse(params.id), {
        accepted: (body) => ({ status: 200, body }),
        refused: refusedAnswer,
      });
      const { repeated: _again, ...answer } = keptAnswer(answered);
      return answer;
    },
  });
