import { CountedFactors } from './counted-factors.ts';
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { retryHelps } from '../../domain/shared/reason.ts';
import { FAILURES_MAX } from '../../domain/shared/failed-attempt-limiter.ts';
import {
  APP_ADDRESS_REQUESTS_PER_MINUTE,
  APP_ADDRESS_SHARE,
  CODES_PER_ADDRESS_PER_HOUR,
} from '../../domain/project/quota.ts';
import { PROBLEM_TYPE_PREFIX } from './answer.ts';
import { may, type StaffAction } from '../../domain/staff/role-actions.ts';
import { staffRoles } from '../../domain/staff/role.ts';
import { eventPayload, events, type EventType, eventTypes } from '../../domain/events.ts';
import { describeDocument } from './describe-fields.ts';
import { requestExamples, tagWords } from './examples.ts';
import type { AnyRoute, DoorRoute, PersonRoute, Route, StaffSessionRoute, Upload } from './route.ts';
import { STAFF_DESCRIPTION } from './staff-description.ts';
import { healthPaths } from './health-paths.ts';

export type OpenApiDocument = ReturnType<typeof createDocument>;

const DESCRIPTION = `
Navbat sends codes, messages and payouts as durable jobs. It answers **202** as soon as the job is committed, and sends afterwards.
\`GET /jobs/{id}\` and \`GET /otp/{id}\` show the state.

### Keys
Send \`Authorization: Bearer nbt_live_…\` or \`X-Api-Key: nbt_live_…\`. A *secret* key (\`nbt_live_…\`, \`nbt_test_…\`) is for
services and holds scopes. A *publishable* key (\`nbt_pub_…\`) may sit in an app and reaches the routes of the scope
\`public\` only. A *test* key sends nothing, and reaches only the
codes, messages and jobs that test keys made. A revoked key is refused everywhere within five seconds.

### Web pages
A publishable key may sit in a web page of an origin that the key names (\`allowed_origins\`: \`PATCH /projects/{id}/keys/{keyId}\`,
or \`npm run navbat -- key origins\`). Preflights are answered for the routes of the scope \`public\`; a request with an \`Origin\` that
the key does not name is 403 \`origin-not-allowed\`. Apps send no \`Origin\` and need not be listed. Routes without a key, and those that
take a person's token of your project, may be called from any page. A secret key belongs in no page: its answers are never readable
there.

### People
Who signs in (\`/auth/…\`) gets an access token of ten minutes, sent as \`Authorization: Bearer …\`, and a refresh token that works
once; the keys at \`/.well-known/jwks.json\` verify the access token. Its \`sub\` is your project's own recipient, and another one in every other
project. \`/me/…\` is for Navbat's own app; some of it asks for a proof of the last five minutes.

### Idempotency
Send an \`Idempotency-Key\` of up to 255 visible characters with a request that you may have to repeat. The same key with
the same body gets the first answer again, with \`Idempotent-Replayed: true\`; with another body, 422. Bodies are compared as
canonical JSON (RFC 8785): the order of members does not matter. Where the first
request is still running, the second waits for it up to 2 s and then gets 409 with \`Retry-After: 1\`. A refusal is stored
and replayed like an acceptance; a 429 is not. An idempotency key belongs to the API key with which it was sent, and with a
publishable key to the caller's address too: other callers may use the same one, and are never shown your answer. Repeat a
request with the API key that sent it. Idempotency keys are kept for **24 hours**, those of requests that move money for ever.

### Limits
Requests are counted per key and per caller's address in windows of a minute. Each answer shows your limits in
\`RateLimit-Policy\` and \`RateLimit\`; a 429 of type \`quota-exceeded\` says in \`Retry-After\` when to come back. With a publishable key
one address may send the lower of ${APP_ADDRESS_REQUESTS_PER_MINUTE} requests a minute and ${100 * APP_ADDRESS_SHARE} % of the key's limit (key limit 6000: 240), and gets
${CODES_PER_ADDRESS_PER_HOUR} codes an hour. IPv6: a /64 has the limit, a /56 twice, a /48 four times the limit. After ${FAILURES_MAX.client} wrong codes within ten minutes one address has to wait; others do not. A 503 of type \`limit-uncounted\`
says that a limit which protects codes could not be counted: nothing was done. Bodies hold
up to 64 kB; those of \`/telegram/send\` and \`/push/send\` up to 1 MiB.

### Problems
Each error is \`application/problem+json\` (RFC 9457). \`type\` is \`${PROBLEM_TYPE_PREFIX}\` and a word that stays the same;
[/docs/problems](/docs/problems) lists them all. \`retry\` and \`next_step\` say what to do; \`errors\` names each bad field by a JSON pointer into the body, or by the name of a parameter or header;
a parameter that the route does not have is one. A 500 or 503
changes nothing that you may rely on: send it again, with its idempotency key.

### Times
Every time in an answer or an event is UTC with milliseconds: \`2026-01-15T10:00:00.000Z\`. What you send may have any offset.

### Request ids
\`X-Request-Id\` (letters, digits, \`.\`, \`_\`, \`-\`, up to 64) comes back in the answer, and follows the job into the worker and
onto its attempts; without one, we make one.
`;

const ProblemBody = z
  .object({
    type: z.string().meta({ example: `${PROBLEM_TYPE_PREFIX}invalid-request` }),
    title: z.string().meta({ example: 'Invalid request' }),
    status: z.int().meta({ example: 400 }),
    detail: z.string().meta({ example: 'The request does not fit the schema.' }),
    errors: z
      .array(z.object({ pointer: z.string().meta({ example: '/to' }), detail: z.string() }))
      .optional()
      .meta({ description: 'One for each bad field.' }),
    retry: z.enum(retryHelps).meta({
      description:
        'Whether the same request can succeed: `no`, `later` (after `Retry-After`), or `after-change`.',
    }),
    next_step: z.string().meta({ example: 'Correct the fields in `errors`.' }),
    setting: z.string().optional().meta({
      description: "The project's setting, or the installation's variable, that decided.",
      example: 'sms_countries',
    }),
    factors: CountedFactors.optional(),
    docs: z
      .string()
      .meta({ description: 'The meaning of `type`.', example: '/docs/problems#invalid-request' }),
  })
  .catchall(z.unknown())
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

/** Statuses that any route may answer with. */
const problemsOfAll = [400, 401, 403, 429, 500, 503];
/** Statuses that a route with a body may answer with, beside those. */
const problemsOfBodies = [413, 415];
/** Statuses that a route with idempotency keys may answer with, beside those. */
const problemsOfIdempotency = [409, 422];
/** Statuses that a route of versions may answer with, beside those. */
const problemsOfVersions = [412, 428];

const problemTexts: Readonly<Record<number, string>> = {
  400: 'The request does not fit the schema.',
  401: 'No key or token, or one that is unknown, expired, revoked, or too long ago proven.',
  403: 'The key does not have the scope, or is a test key where a live one is needed; or the session is of another sort.',
  404: 'Unknown, or of another project.',
  409: 'In conflict with what is there, or the same idempotency key is still at work.',
  410: 'Closed; `reason` says why.',
  412: 'It was changed since you read it.',
  413: 'The body is larger than this route takes: 64 kB, 1 MiB for messages to many, or what a file may have.',
  415: 'The body is not what this route takes: JSON, or the bytes of a file.',
  422: 'Well formed, and refused; `type` says why.',
  426: 'It is a WebSocket, and was asked for without an upgrade.',
  428: 'If-Match is missing.',
  429: 'Too many requests; `Retry-After` says when to come back.',
  500: 'A fault of ours.',
  503: 'The database does not answer, or another request holds what this one needs: nothing was done. Send it again after `Retry-After`.',
};

/** In the order of `tagWords`, which is the reader's; a section that it does not know stands last. */
function inReadingOrder<Some extends AnyRoute>(routes: readonly Some[]): readonly Some[] {
  const sections = Object.keys(tagWords);
  const placeOf = ({ tag }: Some) => {
    const place = sections.indexOf(tag);
    return place === -1 ? sections.length : place;
  };
  return routes.toSorted((a, b) => placeOf(a) - placeOf(b));
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key, nbt_…' },
  header: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Api-Key',
    description: 'The same key in a header of its own.',
  },
  person: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The access token of a person who signed in.',
  },
  staff: {
    type: 'http',
    scheme: 'bearer',
    description: 'The token of a member of staff, nbs_…, of the board’s `POST /staff/sessions`.',
  },
} as const;

const staffSecuritySchemes = {
  session: { type: 'http', scheme: 'bearer', description: 'The token of `POST /staff/sessions`, nbs_…' },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-navbat_staff',
    description: 'What the login page sets, for pages of the board; over plain http `navbat_staff`.',
  },
} as const;

/** OpenAPI 3.1 from the very values that the app serves. */
export const openApiDocument = (
  served: readonly Route[],
  version: string,
  told: readonly EventType[] = eventTypes,
): OpenApiDocument =>
  documentOf(served, {
    info: { title: 'Navbat', version, description: DESCRIPTION.trim() },
    more: { paths: healthPaths, tags: ['Health'], webhooks: eventWebhooks(told) },
    components: { securitySchemes },
    security: [{ bearer: [] }, { header: [] }],
  });

/** The same, of the staff's door. */
export const staffOpenApiDocument = (served: readonly DoorRoute[], version: string): OpenApiDocument =>
  documentOf(served, {
    info: { title: 'Navbat for staff', version, description: STAFF_DESCRIPTION.trim() },
    components: { securitySchemes: staffSecuritySchemes },
    security: [{ session: [] }, { cookie: [] }],
  });

interface Frame {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly components: { readonly securitySchemes: typeof securitySchemes | typeof staffSecuritySchemes };
  readonly security: Record<string, never[]>[];
  /** What no route says. */
  readonly more?: {
    readonly paths: ZodOpenApiPathsObject;
    readonly tags: readonly string[];
    readonly webhooks: ZodOpenApiPathsObject;
  };
}

function documentOf(served: readonly AnyRoute[], { more, ...frame }: Frame): OpenApiDocument {
  const routes = inReadingOrder(served);
  const paths: ZodOpenApiPathsObject = { ...more?.paths };
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  const document = createDocument(
    {
      openapi: '3.1.0',
      ...frame,
      servers: [{ url: '/', description: 'This server' }],
      tags: [...new Set(routes.map(({ tag }) => tag)), ...(more?.tags ?? [])].map((name) => ({
        name,
        ...(tagWords[name] === undefined ? {} : { description: tagWords[name] }),
      })),
      paths,
      ...(more ? { webhooks: more.webhooks } : {}),
    },
    { override: withoutPattern },
  );
  describeDocument(document);
  return document;
}

const WebhookHeaders = z.object({
  'webhook-id': z.uuid().meta({
    description: 'The event: the same at each try, at each endpoint and in each replay. Do each once.',
  }),
  'webhook-timestamp': z.string().meta({
    description: 'When this try was made, in seconds of Unix time. Refuse what is older than five minutes.',
    example: '1768471200',
  }),
  'webhook-signature': z.string().meta({
    description:
      '`v1,` and the base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`, for each secret that signs, separated by spaces.',
    example: 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  }),
});

/** What we call: each type of event with its body. */
const eventWebhooks = (types: readonly EventType[]): ZodOpenApiPathsObject =>
  Object.fromEntries(
    types.map((type) => [
      type,
      {
        post: {
          operationId: `on${type.split(/[._]/).map(capital).join('')}`,
          tags: ['Webhooks'],
          summary: `The event \`${type}\``,
          description: `${events[type].meaning} Members may be added; ignore those that you do not know.`,
          security: [],
          requestParams: { header: WebhookHeaders },
          requestBody: {
            required: true,
            content: { 'application/json': { schema: eventPayload(type) } },
          },
          responses: {
            '2XX': {
              description: 'Taken. Anything else is tried again, but 410, which disables the endpoint.',
            },
          },
        },
      },
    ]),
  );

/** Where a format says it already, its regular expression of 200 characters helps no reader. */
function withoutPattern({ jsonSchema }: { jsonSchema: { format?: string; pattern?: string } }): void {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
}

function operation(route: AnyRoute): ZodOpenApiOperationObject {
  const path = route.params as z.ZodObject | undefined;
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    description: [route.description, accessOf(route)].filter(Boolean).join('\n\n'),
    ...securityOf(route),
    requestParams: {
      ...(path ? { path } : {}),
      ...(route.query ? { query: route.query } : {}),
      header: requestHeaders(route),
    },
    ...(route.body
      ? { requestBody: requestBody(route.body, requestExamples[`${route.method} ${route.path}`]) }
      : {}),
    ...(route.upload ? { requestBody: uploadBody(route.upload) } : {}),
    responses: { ...successes(route), ...problems(route) },
  };
}

function accessOf(route: AnyRoute): string {
  switch (route.by) {
    case 'key':
      return `Scope: \`${route.scope}\`.`;
    case 'person':
      return (
        sessionWords[route.session] +
        (route.fresh ? ' The proof of the person must be of the last five minutes.' : '')
      );
    case 'anyone':
      return `Needs no key: ${route.because}`;
    case 'staff':
      return [`Action: \`${route.action}\`, for the roles ${rolesOf(route.action)}.`, ...proofOf(route)].join(
        ' ',
      );
    case 'session':
      return [extentWords[route.extent], ...proofOf(route)].join(' ');
  }
}

const proofOf = ({ proof }: { readonly proof?: true | undefined }): readonly string[] =>
  proof ? ['Needs a proof of the second factor for exactly this (`POST /staff/proofs`).'] : [];

const sessionWords: Readonly<Record<PersonRoute['session'], string>> = {
  project: "With a person's access token.",
  app: "With a person's access token for Navbat's own app.",
  device: 'With the access token of a bound device.',
  earner: "With a person's live access token for the project in which they earn.",
};

const rolesOf = (action: StaffAction): string => staffRoles.filter((role) => may(role, action)).join(', ');

const extentWords: Readonly<Record<StaffSessionRoute['extent'], string>> = {
  full: 'With any session that has shown its second factor.',
  'pending-2fa': 'With the token of `POST /staff/sessions`.',
  either: 'With any session, before its second factor too.',
};

/** Keys, and sessions of staff, are what the document says of all its routes. */
function securityOf(route: AnyRoute): Pick<ZodOpenApiOperationObject, 'security'> {
  switch (route.by) {
    case 'key':
      return {};
    case 'staff':
      // Of the api, where keys are the rule; the staff's own document says it of all its routes.
      return route.credentials.includes('cookie') ? {} : { security: [{ staff: [] }] };
    case 'session':
      return route.credentials.includes('cookie') ? {} : { security: [{ session: [] }] };
    case 'person':
      return { security: [{ person: [] }] };
    case 'anyone':
      return { security: [] };
  }
}

const requestBody = (schema: z.ZodType, example: unknown) => ({
  required: !schema.safeParse(undefined).success,
  content: { 'application/json': example === undefined ? { schema } : { schema, example } },
});

/** OpenAPI 3.1: a body of bytes has a media type and no schema. */
const uploadBody = ({ mediaTypes, bytesMax }: Upload) => ({
  required: true,
  description: `The bytes of the file, at most ${bytesMax}.`,
  content: Object.fromEntries(mediaTypes.map((type) => [type, {}])),
});

const RequestHeaders = z.object({
  'X-Request-Id': z
    .string()
    .optional()
    .meta({ description: 'Your id of this request.', example: 'checkout-4711' }),
});
const IdempotentHeaders = RequestHeaders.extend({
  'Idempotency-Key': z.string().min(1).max(255).optional().meta({
    description: 'Same key and same body: the first answer again, for 24 hours.',
    example: '0d9c8b7a-order-4711',
  }),
});

const MoneyHeaders = RequestHeaders.extend({
  'Idempotency-Key': z.string().min(1).max(255).meta({
    description:
      'Required. Same key and same body: the first answer again, for ever. Not the number of a card.',
    example: '0d9c8b7a-order-4711',
  }),
});
const RehearsedHeaders = MoneyHeaders.extend({
  'Idempotency-Key': MoneyHeaders.shape['Idempotency-Key'].optional().meta({
    description:
      'Required, but with `dry_run`. Same key and same body: the first answer again, for ever. Not the number of a card.',
  }),
});
const VersionHeaders = z.object({
  'If-Match': z.string().meta({
    description: 'The `ETag` of what you have read: 428 without, 412 where it was changed since.',
    example: '"3"',
  }),
});
const AnyVersionHeaders = z.object({
  'If-Match': z.string().optional().meta({
    description: 'Not needed, and not compared: it is done whatever was changed since.',
    example: '"3"',
  }),
});
const versionHeaders = (versioned: AnyRoute['versioned']) => {
  if (versioned === true) return VersionHeaders.shape;
  return versioned ? AnyVersionHeaders.shape : {};
};

const SignedHeaders = z.object({
  'X-Telegram-Auth': z.string().optional().meta({
    description:
      "What Telegram signed, as a query: the Login widget's fields or a Mini App's `initData`. For keys without the scope `register`.",
  }),
});

const FollowingHeaders = z.object({
  'Last-Event-ID': z
    .string()
    .optional()
    .meta({ description: 'The id of the last event that you have; an EventSource sends it by itself.' }),
});

const idempotencyHeaders = ({ idempotent, query }: Pick<AnyRoute, 'idempotent' | 'query'>) => {
  if (idempotent === 'required') return query && 'dry_run' in query.shape ? RehearsedHeaders : MoneyHeaders;
  return idempotent ? IdempotentHeaders : RequestHeaders;
};

const requestHeaders = ({ telegramAuth, follows, versioned, ...route }: AnyRoute) =>
  idempotencyHeaders(route)
    .extend(versionHeaders(versioned))
    .extend(telegramAuth ? SignedHeaders.shape : {})
    .extend(follows ? FollowingHeaders.shape : {});

const AnswerHeaders = z.object({
  'X-Request-Id': z.string(),
  'RateLimit-Policy': z.string().meta({ example: '"key";q=6000;w=60, "address";q=6000;w=60' }),
  RateLimit: z.string().meta({ example: '"key";r=5999;t=60' }),
});
const ReplayHeaders = AnswerHeaders.extend({
  'Idempotent-Replayed': z
    .string()
    .optional()
    .meta({ description: '`true` where this is the first answer again.' }),
});

const EntityTag = z.object({
  ETag: z.string().meta({ description: 'Its version: send it as `If-Match`.', example: '"4"' }),
});

function successes(route: AnyRoute): ZodOpenApiOperationObject['responses'] {
  const headers = (route.idempotent ? ReplayHeaders : AnswerHeaders).extend(
    route.versioned === true || route.tagged ? EntityTag.shape : {},
  );
  const written = Object.entries(route.answers).map(([status, { description, schema, mediaType }]) => {
    const csv =
      route.csv !== undefined && status === '200'
        ? { 'text/csv': { schema: z.string().meta({ description: route.csv }) } }
        : {};
    const content =
      schema instanceof z.ZodUndefined
        ? {}
        : { content: { [mediaType ?? 'application/json']: { schema }, ...csv } };
    // A switch of protocols has headers of its own.
    return [status, Number(status) < 200 ? { description } : { description, headers, ...content }];
  });
  return Object.fromEntries(written);
}

const problemStatuses = (route: AnyRoute): ReadonlySet<number> =>
  new Set([
    ...problemsOfAll,
    ...(route.body || route.upload ? problemsOfBodies : []),
    ...(route.idempotent ? problemsOfIdempotency : []),
    ...(route.versioned === true ? problemsOfVersions : []),
    ...(route.problems ?? []),
  ]);

/** Every status that a route may answer with. */
export const documentedStatuses = (route: AnyRoute): ReadonlySet<number> =>
  new Set([...Object.keys(route.answers).map(Number), ...problemStatuses(route)]);

function problems(route: AnyRoute): ZodOpenApiOperationObject['responses'] {
  const statuses = problemStatuses(route);
  const written = [...statuses].map((status) => {
    const content = { 'application/problem+json': { schema: ProblemBody } };
    return [String(status), { description: problemTexts[status] ?? 'A problem.', content }];
  });
  return Object.fromEntries(written);
}

/** `GET /jobs/{id}` is `getJobsById`: what generated clients call it. */
function operationId({ method, path }: AnyRoute): string {
  const words = path
    .replaceAll('{', 'by_')
    .replaceAll('}', '')
    .split(/[/._-]/)
    .filter(Boolean);
  return method + words.map(capital).join('');
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
