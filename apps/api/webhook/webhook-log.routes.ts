import { z } from 'zod';
import { attemptOutcomes, jobStates } from '../../../domain/job/job.ts';
import { eventBody, type WebhookEvent } from '../../../domain/webhook/event.ts';
import { EventType, events } from '../../../domain/events.ts';
import { keyModes } from '../../../domain/project/key.ts';
import {
  type DeliveryView,
  type EventWay,
  REPLAY_CALLS_MAX,
  type Replayed,
  type Webhooks,
} from '../../../domain/webhook/port.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { reasonBody, reasonShape, TimeField } from '../../http/fields.ts';
import { type Answer, defineRoute, type Route } from '../../http/route.ts';
import { onceValid } from '../../../domain/shared/refine.ts';
import { Time } from '../../../domain/shared/time.ts';
import { ById } from '../../http/by-id.ts';

const TAG = 'Webhooks';
/** As long as events are kept where nobody has changed it. */
const REPLAY_DAYS_MAX = 31;
const DAY_MS = 86_400_000;

const Empty = z.strictObject({}).optional();

const DeliveryBody = z
  .object({
    id: z.uuid(),
    event_id: z.uuid(),
    endpoint_id: z.uuid().nullable().meta({ description: 'Null: to the `callback_url` of a send.' }),
    job_id: z.uuid(),
    attempt: z.int().min(1),
    status: z.enum(attemptOutcomes),
    ...reasonShape,
    latency_ms: z.int(),
    at: Time,
    request: z.object({
      url: z.string().meta({ description: 'Without its query.' }),
      headers: z.record(z.string(), z.string()).meta({ description: 'Without the signature.' }),
      body: z.string(),
    }),
    response: z
      .object({
        status_code: z.int(),
        body: z.string().meta({ description: 'Its first kilobyte, without what looks like a secret.' }),
      })
      .nullable()
      .meta({ description: 'Null: there was none.' }),
  })
  .meta({ id: 'WebhookDelivery' });

const eventShape = {
  id: z.uuid().meta({ description: 'The `webhook-id`.' }),
  type: z.string().meta({ example: 'verification.approved' }),
  mode: z.enum(keyModes).meta({ description: 'Of the key that asked for what it tells of.' }),
  timestamp: Time,
  data: z.record(z.string(), z.unknown()),
};

const EventLine = z.object(eventShape).meta({ id: 'WebhookEventLine' });

const EventTypeBody = z.object({ type: EventType, description: z.string() }).meta({ id: 'WebhookEventType' });

const EventBody = z
  .object({
    ...eventShape,
    deliveries: z.array(
      z.object({
        job_id: z.uuid(),
        endpoint_id: z.uuid().nullable(),
        state: z.enum(jobStates),
        ...reasonShape,
        attempt_count: z.int(),
        next_attempt_at: Time.nullable(),
        accepted_at: Time,
      }),
    ),
  })
  .meta({ id: 'WebhookEvent' });

const ReplayBody = z.object({
  dry_run: z.boolean(),
  events: z.int(),
  calls: z.int().meta({ description: 'One for each event and each place that it goes to.' }),
});

export function webhookLogRoutes(webhooks: Webhooks, told: readonly EventType[]): Route[] {
  return [
    listDeliveries(webhooks),
    listEventTypes(told),
    listEvents(webhooks),
    getEvent(webhooks),
    replayEvent(webhooks),
    replayRange(webhooks),
    testEndpoint(webhooks),
  ];
}

const listDeliveries = (webhooks: Webhooks) =>
  defineRoute({
    method: 'get',
    path: '/webhooks/deliveries',
    tag: TAG,
    summary: 'Every call that was made, newest first',
    scope: 'webhooks',
    testKeys: 'apart',
    query: z.object({
      endpoint: z.uuid().optional(),
      event: z.uuid().optional(),
      status: z.enum(attemptOutcomes).optional(),
      from: TimeField.optional().meta({ description: 'At or after.' }),
      to: TimeField.optional().meta({ description: 'Before.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page of calls.', schema: pageSchema(DeliveryBody) } },
    async handle({ query, caller }) {
      const { limit, cursor, ...filter } = query;
      const page = await webhooks.deliveries(caller, filter, pageOrder({ limit, cursor }));
      return { status: 200, body: pageBody(page, deliveryBody) };
    },
  });

const listEventTypes = (told: readonly EventType[]) =>
  defineRoute({
    method: 'get',
    path: '/webhooks/event-types',
    tag: TAG,
    summary: 'Everything that an endpoint can be told of, and when',
    scope: 'webhooks',
    testKeys: 'apart',
    answers: {
      200: {
        description: 'All of them.',
        schema: z.object({ data: z.array(EventTypeBody), next_cursor: z.null() }),
      },
    },
    handle: async () => ({
      status: 200,
      body: {
        data: told.map((type) => ({ type, description: events[type].meaning })),
        next_cursor: null,
      },
    }),
  });

const listEvents = (webhooks: Webhooks) =>
  defineRoute({
    method: 'get',
    path: '/webhooks/events',
    tag: TAG,
    summary: 'What happened, newest first, whether or not it was delivered',
    description:
      'Events that some place took the type of when they happened, for as long as jobs are kept. A test key sees those of test keys.',
    scope: 'webhooks',
    testKeys: 'apart',
    query: z.object({
      type: EventType.optional(),
      from: TimeField.optional().meta({ description: 'At or after.' }),
      to: TimeField.optional().meta({ description: 'Before.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page of events.', schema: pageSchema(EventLine) } },
    async handle({ query, caller }) {
      const { limit, cursor, ...filter } = query;
      const page = await webhooks.events(caller, filter, pageOrder({ limit, cursor }));
      return { status: 200, body: pageBody(page, eventLine) };
    },
  });

const eventLine = ({ id, type, mode, happenedAt, data }: WebhookEvent) => ({
  id,
  type,
  mode,
  timestamp: happenedAt,
  data,
});

const getEvent = (webhooks: Webhooks) =>
  defineRoute({
    method: 'get',
    path: '/webhooks/events/{id}',
    tag: TAG,
    summary: 'An event, and where it stands with each place that it goes to',
    scope: 'webhooks',
    testKeys: 'apart',
    params: ById,
    answers: { 200: { description: 'The event.', schema: EventBody } },
    problems: [404],
    async handle({ params, caller }) {
      const timeline = await webhooks.event(caller, params.id);
      if (!timeline) throw refusals['no-event']();
      return { status: 200, body: { ...eventLine(timeline.event), deliveries: timeline.ways.map(wayBody) } };
    },
  });

const replayEvent = (webhooks: Webhooks) =>
  defineRoute({
    method: 'post',
    path: '/webhooks/events/{id}/replay',
    tag: TAG,
    summary: 'Sends an event again, with the same `webhook-id` and body',
    description:
      'To `endpoint_id`, or to all enabled endpoints that take its type. Where it is still on its way it is not sent twice.',
    scope: 'webhooks',
    testKeys: 'apart',
    params: ById,
    body: z.strictObject({ endpoint_id: z.uuid().optional() }).optional(),
    answers: { 202: { description: 'On its way again.', schema: ReplayBody } },
    problems: [404, 409],
    async handle({ params, body, caller, now }) {
      const endpointId = body?.endpoint_id ?? null;
      return replayAnswer(await webhooks.replay(caller, params.id, endpointId, now));
    },
  });

const ReplayRangeBody = z
  .strictObject({
    from: TimeField.meta({ description: 'Happened at or after.' }),
    to: TimeField.meta({ description: 'Happened before.' }),
    endpoint_id: z.uuid().optional(),
    undelivered_only: z
      .boolean()
      .default(false)
      .meta({ description: 'Leave out what a place has answered with 2xx.' }),
    dry_run: z.boolean().default(false).meta({ description: 'Only count.' }),
  })
  .refine(({ from, to }) => from < to, { ...onceValid, error: 'expected a time after `from`', path: ['to'] })
  .refine(({ from, to }) => to.getTime() - from.getTime() <= REPLAY_DAYS_MAX * DAY_MS, {
    ...onceValid,
    error: `expected at most ${REPLAY_DAYS_MAX} days after \`from\``,
    path: ['to'],
  });

const replayRange = (webhooks: Webhooks) =>
  defineRoute({
    method: 'post',
    path: '/webhooks/replay',
    tag: TAG,
    summary: 'Sends the events of a time range again',
    description: `At most ${REPLAY_CALLS_MAX} calls at once; more are refused with their count. Tests are left out.`,
    scope: 'webhooks',
    testKeys: 'apart',
    body: ReplayRangeBody,
    answers: {
      200: { description: 'Counted, with `dry_run`.', schema: ReplayBody },
      202: { description: 'On their way again.', schema: ReplayBody },
    },
    problems: [404, 409, 422],
    async handle({ body, caller, now }) {
      const { from, to, endpoint_id: endpointId = null, undelivered_only: undeliveredOnly } = body;
      const how = body.dry_run ? 'count' : 'replay';
      const range = { from, to, endpointId, undeliveredOnly };
      return replayAnswer(await webhooks.replayRange(caller, range, how, now));
    },
  });

const testEndpoint = (webhooks: Webhooks) =>
  defineRoute({
    method: 'post',
    path: '/webhooks/endpoints/{id}/test',
    tag: TAG,
    summary: 'Sends a `test` event to one endpoint, whatever types it takes',
    scope: 'webhooks',
    testKeys: 'apart',
    params: ById,
    body: Empty,
    answers: {
      202: { description: 'On its way.', schema: z.object({ event_id: z.uuid(), status_url: z.string() }) },
    },
    problems: [404, 409],
    async handle({ params, caller, requestId, now }) {
      const sent = await webhooks.test(caller, params.id, requestId, now);
      if (typeof sent === 'string') throw refusals[sent]();
      const statusUrl = `/webhooks/events/${sent.eventId}`;
      return {
        status: 202,
        body: { event_id: sent.eventId, status_url: statusUrl },
        headers: { Location: statusUrl },
      };
    },
  });

const refusals = {
  'no-event': () => new Problem(404, 'not-found', 'This project has no such event.'),
  'no-endpoint': () => new Problem(404, 'not-found', 'This project has no such endpoint.'),
  'endpoint-disabled': () =>
    new Problem(409, 'endpoint-disabled', 'The endpoint is disabled: enable it first.'),
} satisfies Record<Exclude<Replayed['kind'], 'done' | 'counted' | 'too-many'>, () => Problem>;

function replayAnswer(replayed: Replayed): Answer {
  switch (replayed.kind) {
    case 'done':
    case 'counted': {
      const { events, calls } = replayed;
      const isDry = replayed.kind === 'counted';
      return { status: isDry ? 200 : 202, body: { dry_run: isDry, events, calls } };
    }
    case 'too-many':
      throw new Problem(
        422,
        'too-many-calls',
        `More than ${REPLAY_CALLS_MAX} calls: choose a shorter range or one endpoint.`,
      );
    case 'no-event':
    case 'no-endpoint':
    case 'endpoint-disabled':
      throw refusals[replayed.kind]();
  }
}

function deliveryBody(delivery: DeliveryView) {
  return {
    id: delivery.id,
    event_id: delivery.event.id,
    endpoint_id: delivery.endpointId,
    job_id: delivery.jobId,
    attempt: delivery.attempt,
    status: delivery.outcome,
    ...reasonBody(delivery.reason),
    latency_ms: delivery.latencyMs,
    at: delivery.at,
    request: {
      url: delivery.url,
      headers: headersOf(delivery.event, delivery.at),
      body: eventBody(delivery.event),
    },
    response:
      delivery.statusCode === null
        ? null
        : { status_code: delivery.statusCode, body: delivery.response ?? '' },
  };
}

const headersOf = ({ id }: WebhookEvent, at: Date) => ({
  'content-type': 'application/json',
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
});

const wayBody = (way: EventWay) => ({
  job_id: way.jobId,
  endpoint_id: way.endpointId,
  state: way.state,
  ...reasonBody(way.reason),
  attempt_count: way.attemptCount,
  next_attempt_at: way.nextAt,
  accepted_at: way.acceptedAt,
});
