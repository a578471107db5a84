import { z } from 'zod';
import { FaultOrders, type Faults } from './faults.ts';
import { type Answer, type Incoming, json, parseJson } from './http.ts';
import { INBOX_MESSAGES_MAX, type Inbox, type InboxFilter } from './inbox.ts';
import { Channel } from './message.ts';
import { type CallLog, CALLS_KEPT_MAX } from './calls.ts';

const LIMIT_DEFAULT = 1_000;

const ListQuery = z.object({
  /** An unescaped `+` arrives as a blank: curl users write `?to=+998…`. */
  to: z
    .string()
    .transform((to) => to.replace(/^ (?=\d)/, '+'))
    .optional(),
  channel: Channel.optional(),
  since: z.coerce.date().optional(),
  limit: z.coerce.number().int().min(1).max(INBOX_MESSAGES_MAX).default(LIMIT_DEFAULT),
});

interface Control {
  inbox: Inbox;
  faults: Faults;
  calls: CallLog;
}

/** What programs and people do to the sandbox itself; undefined when the path is none of it. */
export function answerControl(incoming: Incoming, control: Control): Answer | undefined {
  const { method, path } = incoming;
  const route = routes[`${method} ${path}`];
  if (!route) return undefined;
  const query = ListQuery.safeParse(Object.fromEntries(incoming.query));
  if (!query.success) return problem(z.prettifyError(query.error));
  return route(control, query.data, incoming);
}

type Route = (control: Control, query: InboxFilter, incoming: Incoming) => Answer;

const routes: Record<string, Route> = {
  'GET /health': () => json(200, { status: 'ok' }),
  'GET /inbox.json': ({ inbox }, query) => json(200, inbox.list(query)),
  'DELETE /inbox.json': ({ inbox }) => {
    inbox.clear();
    return json(200, []);
  },
  'GET /calls.json': ({ calls }, query) =>
    json(200, calls.list({ ...query, limit: Math.min(query.limit ?? LIMIT_DEFAULT, CALLS_KEPT_MAX) })),
  'GET /faults': ({ faults }) => json(200, faults.list()),
  'PUT /faults': ({ faults }, _query, { body }) => {
    const orders = FaultOrders.safeParse(parseJson(body.toString()));
    if (!orders.success) return problem(z.prettifyError(orders.error));
    faults.order(orders.data);
    return json(200, faults.list());
  },
  'DELETE /faults': ({ faults }, { channel, to }) => {
    faults.clear({ channel, to });
    return json(200, faults.list());
  },
};

export function problem(detail: string, status = 400): Answer {
  return json(status, { error: detail });
}
