import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Answer, json, problem, unfit } from '../../http.ts';
import { settle } from './credit.ts';
import { type Desk, divided } from './desk.ts';
import { FaultOrders } from './faults.ts';
import type { Incoming } from './incoming.ts';
import { PaymentStatus } from './lines.ts';
import type { People } from './people.ts';
import { Settings } from './settings.ts';

const PAYMENTS_SHOWN_MAX = 1_000;
/** Far below 2^53 tiyin. */
const TIYIN_MAX = 9_000_000_000_000_000;
const Tiyin = z.int().min(0).max(TIYIN_MAX);
const Phone = z.string().regex(/^998\d{9}$/, 'expected 998 and nine digits');
const Pinfl = z.string().regex(/^\d{14}$/, 'expected 14 digits');
const Name = z.string().min(1).max(100);

const Wallet = z.union([z.strictObject({ balance: Tiyin }), z.strictObject({ top_up: Tiyin })]);
const Persons = z.array(z.strictObject({ phone: Phone, holder_name: Name, pinfl: Pinfl.optional() }));
/** Whose form: one session, or each open one of a phone, or, without either, each. */
const AnswerOrder = z.strictObject({
  session: z.string().optional(),
  for_phone: Phone.optional(),
  decline: z.boolean().optional(),
  phone: Phone.optional(),
  pinfl: Pinfl.optional(),
  holder_name: Name.optional(),
});
const Revert = z.strictObject({ uuid: z.string(), after_ms: z.int().min(0).default(0) });
/** A payment that nobody ordered by the API. */
const Strange = z.strictObject({
  reference: z.string().min(1).max(255),
  card: z.string().default('sim0'),
  amount: Tiyin.min(1),
  commission: Tiyin.default(0),
});
const PaymentQuery = z.object({
  reference: z.string().optional(),
  status: PaymentStatus.optional(),
  limit: z.coerce.number().int().min(1).max(PAYMENTS_SHOWN_MAX).default(PAYMENTS_SHOWN_MAX),
});

type Route = (desk: Desk, incoming: Incoming, people: People) => Answer | Promise<Answer>;

/** What people and programs do to this rail itself. */
export async function answerControl(desk: Desk, incoming: Incoming, people: People): Promise<Answer> {
  const route = routes[`${incoming.method} ${incoming.path}`];
  if (!route) return problem('Nothing lives at this path.', 404);
  const answer = await route(desk, incoming, people);
  await desk.rail.flushed();
  return answer;
}

/** Runs what an order says, or says what is wrong with it. */
const ordered =
  <T>(schema: z.ZodType<T>, run: (desk: Desk, order: T, people: People) => Answer | Promise<Answer>): Route =>
  (desk, { body }, people) => {
    const order = schema.safeParse(body);
    return order.success ? run(desk, order.data, people) : unfit(order.error);
  };

const done = (): Answer => ({ status: 204, headers: {}, body: '' });

const routes: Readonly<Record<string, Route>> = {
  'GET /control': (desk) => json(200, stateOf(desk)),
  'PUT /control/settings': ({ rail }, { body }) => {
    const settings = Settings.safeParse({
      ...rail.settings,
      ...z.record(z.string(), z.unknown()).safeParse(body).data,
    });
    if (!settings.success) return unfit(settings.error);
    rail.commit({ t: 'settings', settings: settings.data });
    return json(200, rail.settings);
  },
  'PUT /control/faults': ordered(FaultOrders, ({ rail }, orders) => {
    rail.commit({ t: 'faults', orders });
    return json(200, rail.faults.list());
  }),
  'GET /control/faults': ({ rail }) => json(200, rail.faults.list()),
  'DELETE /control/faults': ({ rail }) => {
    rail.commit({ t: 'faults', orders: [] });
    return done();
  },
  'PUT /control/wallet': ordered(Wallet, ({ rail }, order) => {
    const balance = 'balance' in order ? order.balance : rail.wallet + order.top_up;
    rail.commit({ t: 'wallet', at: Date.now(), balance });
    return json(200, { balance: rail.wallet });
  }),
  'GET /control/payments': ({ rail }, { query }) => {
    const asked = PaymentQuery.safeParse(Object.fromEntries(query));
    if (!asked.success) return unfit(asked.error);
    const { reference, status, limit } = asked.data;
    const found = rail.payments.filter(
      (one) =>
        (reference === undefined || one.reference === reference) &&
        (status === undefined || one.status === status),
    );
    return json(200, found.slice(-limit));
  },
  'POST /control/payments': ordered(Strange, addStrange),
  'POST /control/revert': ordered(Revert, (desk, { uuid, after_ms: afterMs }) => {
    if (desk.rail.payment(uuid)?.status !== 'success') return problem('No such payment is paid.', 404);
    desk.timers.after(divided(desk.rail, afterMs), () => settle(desk, uuid, 'revert'));
    return done();
  }),
  'POST /control/tokens/expire': ({ rail, clock }) => {
    rail.commit({ t: 'tokens-expired', at: clock().getTime() });
    return done();
  },
  'PUT /control/people': ordered(Persons, ({ rail }, persons) => {
    for (const { phone, holder_name: holderName, pinfl = null } of persons)
      rail.commit({ t: 'person', phone, holderName, pinfl });
    return done();
  }),
  'POST /control/people/answer': ordered(AnswerOrder, answerForms),
  'GET /control/bindings': ({ rail }) =>
    json(
      200,
      rail.bindings.map(({ session, phone, card, declined }) => ({
        session,
        phone,
        declined,
        bound: card !== null,
      })),
    ),
};

function stateOf({ rail, account }: Desk) {
  const counts = Object.fromEntries(PaymentStatus.options.map((status) => [status, 0]));
  for (const { status } of rail.payments) counts[status] = (counts[status] ?? 0) + 1;
  const { settings, wallet } = rail;
  return { store_id: account.storeId, wallet, payments: counts, settings, faults: rail.faults.list() };
}

function addStrange({ rail, clock }: Desk, order: z.infer<typeof Strange>): Answer {
  const uuid = randomUUID();
  const { reference, card, amount, commission } = order;
  const payment = { uuid, reference, card, amount, commission, total: amount + commission, by: null };
  const at = clock().getTime();
  rail.commit({ t: 'draft', ...payment, confirmable: false, addedAt: at });
  rail.commit({ t: 'paid', ...payment, at: Date.now(), paidAt: at });
  return json(201, rail.payment(uuid));
}

async function answerForms(
  { rail }: Desk,
  { session, for_phone: forPhone, holder_name: holderName, ...rest }: z.infer<typeof AnswerOrder>,
  people: People,
): Promise<Answer> {
  const open = rail.bindings.filter(
    (one) =>
      !one.card &&
      !one.declined &&
      (session === undefined || one.session === session) &&
      (forPhone === undefined || one.phone === forPhone),
  );
  await Promise.all(open.map((one) => people.answer(one.session, { ...rest, holderName })));
  return json(200, { answered: open.length });
}
