import { z } from 'zod';
import { type CallLog, CALLS_KEPT_MAX } from './calls.ts';
import type { Crowd } from './crowd.ts';
import { type EskizAccount, EskizOrder } from './eskiz-account.ts';
import { FaultOrders, type Faults } from './faults.ts';
import { type Answer, type Incoming, json, problem, unfit } from './http.ts';
import { INBOX_MESSAGES_MAX, type Inbox, type InboxFilter } from './inbox.ts';
import { Channel, SmsProvider } from './message.ts';
import { inboxPage } from './page.ts';
import type { People } from './people.ts';
import type { Phones } from './phones.ts';
import { type PlayMobile, PlayMobileOrder } from './play-mobile.ts';
import { PaceOrder, type SendingPace } from './telegram-pace.ts';
import { parseJson } from '../../domain/shared/json.ts';
import { plainWords } from '../../domain/shared/schema-words.ts';

const LIMIT_DEFAULT = 1_000;

const ListQuery = z.object({
  /** An unescaped `+` arrives as a blank: curl users write `?to=+998…`. */
  to: z
    .string()
    .transform((to) => to.replace(/^ (?=\d)/, '+'))
    .optional(),
  channel: Channel.optional(),
  provider: SmsProvider.optional(),
  since: z.coerce.date().optional(),
  after: z.coerce.number().int().optional(),
  limit: z.coerce.number().int().min(1).max(INBOX_MESSAGES_MAX).default(LIMIT_DEFAULT),
});

export interface Control {
  inbox: Inbox;
  faults: Faults;
  calls: CallLog;
  people: People;
  crowd: Crowd;
  phones: Phones;
  pace: SendingPace;
  playMobile: PlayMobile;
  eskiz: EskizAccount;
}
type Route = (control: Control, query: InboxFilter, incoming: Incoming) => Answer | Promise<Answer>;

/** What programs and people do to the sandbox itself. */
export function answerControl(incoming: Incoming, control: Control): Answer | Promise<Answer> {
  const { method, path } = incoming;
  const route = routes[`${method} ${path}`];
  if (!route) return problem('Nothing lives at this path.', 404);
  if (method !== 'GET' && comesFromElsewhere(incoming)) return problem('Another site may not do this.', 403);
  const query = ListQuery.safeParse(Object.fromEntries(incoming.query), { error: plainWords });
  if (!query.success) return unfit(query.error);
  return route(control, query.data, incoming);
}

/** A page on another site, open in the developer's browser; programs send no such header. */
function comesFromElsewhere({ headers }: Incoming): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

const routes: Record<string, Route> = {
  'GET /health': () => json(200, { status: 'ok' }),
  'GET /': () => ({ status: 302, headers: { location: '/inbox' }, body: '' }),
  'GET /inbox': showInbox,
  'GET /inbox.json': ({ inbox }, query) => json(200, inbox.list(query)),
  'DELETE /inbox.json': ({ inbox }) => {
    inbox.clear();
    return json(200, []);
  },
  'GET /calls.json': ({ calls }, { to, channel, provider, limit = LIMIT_DEFAULT }) =>
    json(200, calls.list({ to, channel, provider, limit: Math.min(limit, CALLS_KEPT_MAX) })),
  'GET /faults': ({ faults }) => json(200, faults.list()),
  'PUT /faults': orderFaults,
  'DELETE /faults': ({ faults }, { channel, provider, to }) => {
    faults.clear({ channel, provider, to });
    return json(200, faults.list());
  },
  'GET /eskiz': ({ eskiz }) => json(200, eskiz.view()),
  'PUT /eskiz': orderEskiz,
  'POST /telegram/updates': ({ people }, _query, incoming) => people.act(parseJson(incoming.body.toString())),
  'PUT /telegram/chats': ({ people }, _query, incoming) => people.know(parseJson(incoming.body.toString())),
  'GET /telegram/people': ({ crowd }) => crowd.report(),
  'PUT /telegram/people': ({ crowd }, _query, incoming) => crowd.order(parseJson(incoming.body.toString())),
  'POST /phones': ({ phones }, _query, incoming) => phones.bind(parseJson(incoming.body.toString())),
  'POST /phones/answer': ({ phones }, _query, incoming) => phones.answer(parseJson(incoming.body.toString())),
  'GET /telegram/pace': ({ pace }) => json(200, pace.report()),
  'PUT /telegram/pace': setPace,
  'DELETE /telegram/pace': ({ pace }) => {
    pace.set(null);
    return json(200, pace.report());
  },
  'GET /play-mobile': ({ playMobile }) => json(200, playMobile.account()),
  'PUT /play-mobile': setPlayMobile,
  'POST /telegram/say': ({ people }, _query, incoming) => people.press(incoming),
};

function showInbox({ inbox, people }: Control, { to }: InboxFilter, { headers }: Incoming): Answer {
  const said = to === undefined ? [] : people.said(to);
  return inboxPage({
    messages: inbox.list(),
    open: to,
    said,
    etag: headers['if-none-match'],
    partsOnly: headers['x-parts'] === '1',
  });
}

function orderFaults({ faults }: Control, _query: InboxFilter, { body }: Incoming): Answer {
  const orders = FaultOrders.safeParse(parseJson(body.toString()), { error: plainWords });
  if (!orders.success) return unfit(orders.error);
  faults.order(orders.data);
  return json(200, faults.list());
}

function setPlayMobile({ playMobile }: Control, _query: InboxFilter, { body }: Incoming): Answer {
  const order = PlayMobileOrder.safeParse(parseJson(body.toString()), { error: plainWords });
  if (!order.success) return unfit(order.error);
  return json(200, playMobile.account(order.data));
}

function orderEskiz({ eskiz }: Control, _query: InboxFilter, { body }: Incoming): Answer {
  const order = EskizOrder.safeParse(parseJson(body.toString()), { error: plainWords });
  return order.success ? json(200, eskiz.order(order.data)) : unfit(order.error);
}

/** Starts its counts afresh. */
function setPace({ pace }: Control, _query: InboxFilter, { body }: Incoming): Answer {
  const order = PaceOrder.safeParse(body.length === 0 ? {} : parseJson(body.toString()), {
    error: plainWords,
  });
  if (!order.success) return unfit(order.error);
  pace.set(order.data);
  return json(200, pace.report());
}
