import { z } from 'zod';
import {
  disabledReasons,
  endpointBodies,
  ENDPOINTS_MAX,
  type EndpointView,
  SECRET_KEPT_HOURS,
} from '../../../domain/webhook/endpoint.ts';
import { EventType } from '../../../domain/events.ts';
import type { SecretView, Webhooks } from '../../../domain/webhook/port.ts';
import { reasons } from '../../../domain/reasons.ts';
import { keyModes } from '../../../domain/project/key.ts';
import { Time } from '../../../domain/shared/time.ts';
import { Problem } from '../../http/problem.ts';
import { checkUrl, reasonBody, reasonShape } from '../../http/fields.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { webhookLogRoutes } from './webhook-log.routes.ts';
import { ById } from '../../http/by-id.ts';

export interface WebhookRouteDeps {
  /** What an endpoint can be told of: the events of the products that are on. */
  readonly told: readonly EventType[];
  readonly webhooks: Webhooks;
  /** What is wrong with a URL that a customer gives, or null. */
  readonly urlFault: (url: string) => string | null;
}

const EndpointBody = z
  .object({
    id: z.uuid(),
    mode: z.enum(keyModes).meta({
      description:
        'What it hears of: `live`, what live keys did, or `test`, what test keys did. It is that of the key that made it, and keys of that mode alone see and change it.',
    }),
    url: z.string().meta({ example: 'https://example.com/navbat' }),
    description: z.string().nullable(),
    event_types: z.array(EventType).nullable().meta({
      description:
        'Null: every type. `telegram.callback` tells of a button under your message: `data` (as the client sent it: treat it as input), `chat_id`, `message_id`, `user_id`, `recipient_id`, `job_id`, `broadcast_id`. `telegram.chat_migrated` tells that a group became a supergroup: `from_chat_id`, `to_chat_id`, `recipient_id`. `budget.half_spent` tells once a day that half of your budget for paid messages is spent: `day`, `budget_micros`, `spent_micros`, `publishable_spent_micros`.',
    }),
    enabled: z.boolean(),
    failing_since: Time.nullable().meta({ description: 'The first failure since the last success.' }),
    disabled_at: Time.nullable(),
    disabled_reason: z.enum(disabledReasons).nullable().meta({
      description: '`gone`: it answered 410. `failing`: five days without a success.',
    }),
    next_step: reasonShape.next_step.meta({
      description: 'What to do about a disabled endpoint.',
      example: reasons.failing.nextStep,
    }),
    created_at: Time,
    updated_at: Time,
  })
  .meta({ id: 'WebhookEndpoint' });

const Secret = z
  .string()
  .meta({ description: 'For the libraries of Standard Webhooks.', example: 'whsec_…' });

const SecretBody = z.object({
  secret: Secret,
  created_at: Time,
  earlier_until: Time.nullable().meta({
    description: `The secrets before it sign beside it until then: ${SECRET_KEPT_HOURS} hours from a rotation.`,
  }),
});

const TAG = 'Webhooks';

const ABOUT = `
We POST each event to every enabled endpoint that takes its type, signed after
[Standard Webhooks](https://www.standardwebhooks.com): verify \`webhook-signature\` over the raw body with the endpoint's
secret. The body is \`{ "type", "timestamp", "mode", "data" }\`. Live and test keys have endpoints of their own: one that a test key
adds hears what test keys did, so that a test suite sees the whole path. Answer 2xx within 15 s; anything else is tried again after 5 s, 5 min,
30 min, 2, 5, 10, 14, 20 and 24 h. \`Retry-After\` of a 429 or 503 is obeyed, up to an hour. Redirects are not followed. 410
disables the endpoint, and so do five days without a success.

**Order is not promised, and an event may arrive more than once**: \`webhook-id\` is the same at each try and in each replay,
and \`timestamp\` says when it happened. An event is written down only where somebody takes its type at that moment.`;

export function webhookRoutes(deps: WebhookRouteDeps): Route[] {
  return [
    createEndpoint(deps),
    listEndpoints(deps),
    getEndpoint(deps),
    changeEndpoint(deps),
    removeEndpoint(deps),
    rotateEndpointSecret(deps),
    projectSecret(deps),
    rotateProjectSecret(deps),
    ...webhookLogRoutes(deps.webhooks, deps.told),
  ];
}

const createEndpoint = ({ webhooks, urlFault, told }: WebhookRouteDeps) =>
  defineRoute({
    method: 'post',
    path: '/webhooks/endpoints',
    tag: TAG,
    summary: 'Adds an endpoint and shows its secret once',
    description: ABOUT.trim(),
    scope: 'webhooks',
    testKeys: 'apart',
    body: endpointBodies(told).NewEndpoint,
    answers: {
      201: {
        description: 'The endpoint. Its secret is not shown again.',
        schema: EndpointBody.extend({ secret: Secret }),
      },
    },
    problems: [409],
    async handle({ body, caller, now }) {
      checkUrl(urlFault, body.url, '/url');
      const created = await webhooks.create(caller, body, now);
      if (!created)
        throw new Problem(
          409,
          'too-many-endpoints',
          `The project has ${ENDPOINTS_MAX} endpoints, or has removed hundreds in the time for which jobs are kept: remove one first, or change one in place.`,
        );
      return { status: 201, body: { ...endpointBody(created.endpoint), secret: created.secret } };
    },
  });

const listEndpoints = ({ webhooks }: WebhookRouteDeps) =>
  defineRoute({
    method: 'get',
    path: '/webhooks/endpoints',
    tag: TAG,
    summary: "The project's endpoints, newest first",
    scope: 'webhooks',
    testKeys: 'apart',
    answers: {
      200: {
        description: 'All of them.',
        schema: z.object({ data: z.array(EndpointBody), next_cursor: z.null() }),
      },
    },
    async handle({ caller }) {
      const endpoints = await webhooks.endpoints(caller);
      return { status: 200, body: { data: endpoints.map(endpointBody), next_cursor: null } };
    },
  });

const getEndpoint = ({ webhooks }: WebhookRouteDeps) =>
  defineRoute({
    method: 'get',
    path: '/webhooks/endpoints/{id}',
    tag: TAG,
    summary: 'One endpoint',
    scope: 'webhooks',
    testKeys: 'apart',
    params: ById,
    answers: { 200: { description: 'The endpoint.', schema: EndpointBody } },
    problems: [404],
    async handle({ params, caller }) {
      const endpoint = await webhooks.endpoint(caller, params.id);
      if (!endpoint) throw noEndpoint();
      return { status: 200, body: endpointBody(endpoint) };
    },
  });

const changeEndpoint = ({ webhooks, urlFault, told }: WebhookRouteDeps) =>
  defineRoute({
    method: 'patch',
    path: '/webhooks/endpoints/{id}',
    tag: TAG,
    summary: 'Changes, disables or enables an endpoint',
    description:
      'What is not named stays. Calls on their way to an endpoint that is disabled end as rejected.',
    scope: 'webhooks',
    testKeys: 'apart',
    params: ById,
    body: endpointBodies(told).EndpointChange,
    answers: { 200: { description: 'The endpoint as it is now.', schema: EndpointBody } },
    problems: [404],
    async handle({ params, body, caller, now }) {
      checkUrl(urlFault, body.url, '/url');
      const endpoint = await webhooks.change(caller, params.id, body, now);
      if (!endpoint) throw noEndpoint();
      return { status: 200, body: endpointBody(endpoint) };
    },
  });

const removeEndpoint = ({ webhooks }: WebhookRouteDeps) =>
  defineRoute({
    method: 'delete',
    path: '/webhooks/endpoints/{id}',
    tag: TAG,
    summary: 'Removes an endpoint',
    description: 'What is on its way to it is not sent any more; what was sent stays in the log.',
    scope: 'webhooks',
    testKeys: 'apart',
    params: ById,
    answers: { 204: { description: 'It is gone.', schema: z.undefined() } },
    problems: [404],
    async handle({ params, caller, now }) {
      if (!(await webhooks.remove(caller, params.id, now))) throw noEndpoint();
      return { status: 204, body: undefined };
    },
  });

const rotateEndpointSecret = ({ webhooks }: WebhookRouteDeps) =>
  defineRoute({
    method: 'post',
    path: '/webhooks/endpoints/{id}/rotate-secret',
    tag: TAG,
    summary: 'Makes a new secret and shows it once',
    description: `For ${SECRET_KEPT_HOURS} hours each call carries a signature by the new secret and one by the old.`,
    scope: 'webhooks',
    testKeys: 'apart',
    params: ById,
    answers: { 200: { description: 'The new secret.', schema: SecretBody } },
    problems: [404],
    async handle({ params, caller, now }) {
      const secret = await webhooks.rotate(caller, params.id, now);
      if (!secret) throw noEndpoint();
      return { status: 200, body: secretBody(secret) };
    },
  });

const projectSecret = ({ webhooks }: WebhookRouteDeps) =>
  defineRoute({
    method: 'get',
    path: '/webhooks/secret',
    tag: TAG,
    summary: "The project's own secret, which signs what goes to a `callback_url`",
    description: 'It is made when it is first asked for or needed.',
    scope: 'webhooks',
    testKeys: 'apart',
    answers: { 200: { description: 'The secret.', schema: SecretBody } },
    async handle({ caller, now }) {
      return { status: 200, body: secretBody(await webhooks.secret(caller, now)) };
    },
  });

const rotateProjectSecret = ({ webhooks }: WebhookRouteDeps) =>
  defineRoute({
    method: 'post',
    path: '/webhooks/secret/rotate',
    tag: TAG,
    summary: "Makes a new secret for the project's `callback_url`s",
    scope: 'webhooks',
    testKeys: 'apart',
    answers: { 200: { description: 'The new secret.', schema: SecretBody } },
    async handle({ caller, now }) {
      const secret = await webhooks.rotate(caller, null, now);
      if (!secret) throw new Error('a project that calls is not there');
      return { status: 200, body: secretBody(secret) };
    },
  });

const noEndpoint = () => new Problem(404, 'not-found', 'This project has no such endpoint.');

const secretBody = ({ secret, createdAt, earlierUntil }: SecretView) => ({
  secret,
  created_at: createdAt,
  earlier_until: earlierUntil,
});

function endpointBody(endpoint: EndpointView) {
  return {
    id: endpoint.id,
    mode: endpoint.mode,
    url: endpoint.url,
    description: endpoint.description,
    event_types: endpoint.eventTypes,
    enabled: endpoint.disabledAt === null,
    failing_since: endpoint.failingSince,
    disabled_at: endpoint.disabledAt,
    disabled_reason: endpoint.disabledReason,
    next_step: reasonBody(endpoint.disabledReason).next_step,
    created_at: endpoint.createdAt,
    updated_at: endpoint.updatedAt,
  };
}
