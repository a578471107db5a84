import { createHmac } from 'node:crypto';
import { reportsToken } from '../../../infra/process/reports-address.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { preferencesLinks } from '../../../infra/postgres/message/preferences/links.ts';
import type { Fixture } from './fixture.ts';
import {
  makeBroadcast,
  makeClosedChat,
  makeDelivery,
  makeEndpoint,
  makeEvent,
  makeRecipient,
  makeVerification,
} from './objects.ts';
import { personFixtures } from './person-fixtures.ts';
import { productApiFixtures } from './product-fixtures.ts';
import {
  BOT_SECRET,
  makeKey,
  newNumber,
  newPhone,
  type Owner,
  signedByTelegram,
  type World,
} from './world.ts';

/** One for each route of the API and of the bot, in the order of `/openapi.json`. */

const verification = async (world: World, owner: Owner) => (await makeVerification(world, owner)).id;
/** Whose events end as soon as they are told. */
const closed = async (world: World, owner: Owner) => {
  const id = await verification(world, owner);
  await world.db.query(`update verification set state = 'cancelled', closed_at = now() where id = $1`, [id]);
  return id;
};
const job = async (world: World, owner: Owner) => (await makeVerification(world, owner)).jobId;
const project = async (_world: World, { projectId }: Owner) => projectId;

/** About nothing that belongs to anybody. */
const plain = (path: string, body?: unknown, more: Partial<Fixture> = {}): Fixture => ({
  ask: () => ({ path, body }),
  ...more,
});
/** About the one whose id stands in the path. */
const about = (
  make: Fixture['make'],
  path: string,
  body?: unknown,
  more: Partial<Fixture> = {},
): Fixture => ({
  ...(make ? { make } : {}),
  ask: (id) => ({ path: path.replace('{id}', id), body }),
  ...more,
});
const list = (make: NonNullable<Fixture['make']>, path: string): Fixture => ({
  make,
  lists: true,
  ask: () => ({ path }),
});

const otp: Readonly<Record<string, Fixture>> = {
  'POST /otp/send': {
    make: makeRecipient,
    ask: (id) => ({ path: '/otp/send', body: { to: id, channels: ['telegram'] } }),
    isShared: true,
  },
  // A wrong code: that it was looked at is all that matters here.
  'POST /otp/verify': {
    make: verification,
    ask: (id) => ({ path: '/otp/verify', body: { id, code: '000000' } }),
    answers: [200, 422],
  },
  'GET /otp/:id': about(verification, '/otp/{id}'),
  'GET /otp/:id/events': about(closed, '/otp/{id}/events'),
  'POST /otp/:id/resend': about(verification, '/otp/{id}/resend', { channels: ['sms'] }),
  'POST /otp/:id/cancel': about(verification, '/otp/{id}/cancel', {}),
  'POST /api/send-otp': { ask: () => ({ path: '/api/send-otp/', body: { phone: newPhone() } }) },
  'GET /api/send-otp/:id': about(
    async (world, owner) => (await makeVerification(world, owner, 'phone-login')).id,
    '/api/send-otp/{id}',
  ),
  'POST /api/verify-otp': {
    // With the token of nothing.
    ask: () => ({
      path: '/api/verify-otp/',
      body: { phone: newPhone(), otp: '000000', check_token: 'of-nothing' },
    }),
    answers: [404],
  },
};

const registration: Readonly<Record<string, Fixture>> = {
  'POST /register': {
    ask: (_id, world) => {
      const telegramId = newNumber();
      const headers = { 'X-Telegram-Auth': signedByTelegram(world, telegramId) };
      return { path: '/register', headers, body: { telegram_id: telegramId, phone_number: newPhone() } };
    },
  },
  'POST /verify': {
    ask: () => ({ path: '/verify', body: { telegram_id: newNumber(), verification_code: '000000' } }),
    answers: [400],
  },
};

const messages: Readonly<Record<string, Fixture>> = {
  'POST /telegram/send': {
    make: makeRecipient,
    ask: (id) => ({ path: '/telegram/send', body: { to: { recipient_id: id }, text: 'salom' } }),
    isShared: true,
  },
  // Nobody here has an own app: what it says of that it says of its own recipients only.
  'POST /push/send': {
    make: makeRecipient,
    ask: (id) => ({
      path: '/push/send',
      body: { to: { recipient_id: id }, notification: { title: 'salom', body: 'salom' } },
    }),
    answers: [422],
    isShared: true,
  },
  'GET /telegram/chats': list(makeClosedChat, '/telegram/chats?limit=100'),
  'GET /recipients/:id/preferences': about(makeRecipient, '/recipients/{id}/preferences'),
  'PUT /recipients/:id/preferences': about(makeRecipient, '/recipients/{id}/preferences', {
    time_zone: 'UTC',
  }),
  'POST /recipients/:id/preferences/link': about(makeRecipient, '/recipients/{id}/preferences/link', {}),
  'GET /broadcasts': list(makeBroadcast, '/broadcasts?limit=100'),
  'GET /broadcasts/:id': about(makeBroadcast, '/broadcasts/{id}'),
  'POST /broadcasts/:id/pause': about(makeBroadcast, '/broadcasts/{id}/pause', {}),
  'POST /broadcasts/:id/resume': about(makeBroadcast, '/broadcasts/{id}/resume', {}),
  'POST /broadcasts/:id/cancel': about(makeBroadcast, '/broadcasts/{id}/cancel', {}),
};

const lastHour = () => ({
  from: new Date(Date.now() - 3_600_000).toISOString(),
  to: new Date().toISOString(),
  dry_run: true,
});

const webhooks: Readonly<Record<string, Fixture>> = {
  // 409: the rows made here are more endpoints than a project may have.
  'POST /webhooks/endpoints': plain(
    '/webhooks/endpoints',
    { url: 'https://example.com/' },
    { answers: [201, 409] },
  ),
  'GET /webhooks/endpoints': list(makeEndpoint, '/webhooks/endpoints'),
  'GET /webhooks/endpoints/:id': about(makeEndpoint, '/webhooks/endpoints/{id}'),
  'PATCH /webhooks/endpoints/:id': about(makeEndpoint, '/webhooks/endpoints/{id}', { description: 'ours' }),
  'DELETE /webhooks/endpoints/:id': about(makeEndpoint, '/webhooks/endpoints/{id}'),
  'POST /webhooks/endpoints/:id/rotate-secret': about(makeEndpoint, '/webhooks/endpoints/{id}/rotate-secret'),
  'POST /webhooks/endpoints/:id/test': about(makeEndpoint, '/webhooks/endpoints/{id}/test', {}),
  'GET /webhooks/secret': plain('/webhooks/secret'),
  'POST /webhooks/secret/rotate': plain('/webhooks/secret/rotate'),
  'GET /webhooks/deliveries': list(makeDelivery, '/webhooks/deliveries?limit=100'),
  'GET /webhooks/event-types': plain('/webhooks/event-types'),
  'GET /webhooks/events': list(makeEvent, '/webhooks/events?limit=100'),
  'GET /webhooks/events/:id': about(makeEvent, '/webhooks/events/{id}'),
  'POST /webhooks/events/:id/replay': about(makeEvent, '/webhooks/events/{id}/replay', {}),
  'POST /webhooks/replay': {
    make: makeEndpoint,
    ask: (id) => ({ path: '/webhooks/replay', body: { ...lastHour(), endpoint_id: id } }),
  },
};

const projects: Readonly<Record<string, Fixture>> = {
  'GET /jobs': list(job, '/jobs?limit=100'),
  'GET /jobs/:id': about(job, '/jobs/{id}'),
  'GET /recipients': list(makeRecipient, '/recipients?limit=100'),
  'PUT /recipients': { ask: () => ({ path: '/recipients', body: { phone: newPhone() } }) },
  'GET /recipients/:id': about(makeRecipient, '/recipients/{id}'),
  'DELETE /recipients/:id': about(makeRecipient, '/recipients/{id}'),
  'GET /projects': { ...list(project, '/projects'), isShared: true },
  'GET /projects/:id': about(project, '/projects/{id}', undefined, { isShared: true }),
  'PATCH /projects/:id': about(project, '/projects/{id}', { settings: { display_name: 'Ours' } }),
  'POST /projects/:id/templates/preview': about(
    project,
    '/projects/{id}/templates/preview',
    { settings: {} },
    { isShared: true },
  ),
  'GET /projects/:id/usage': about(project, '/projects/{id}/usage'),
  'GET /projects/:id/keys': about(project, '/projects/{id}/keys'),
  // 409: the roles have more keys already than a project may make.
  'POST /projects/:id/keys': about(
    project,
    '/projects/{id}/keys',
    { scopes: ['public'] },
    { answers: [201, 409] },
  ),
  'PATCH /projects/:id/keys/:keyId': {
    make: async (world, owner) => (await makeKey(world, owner.projectId, { mode: owner.mode })).id,
    ask: (id, _world, { projectId }) => ({
      path: `/projects/${projectId}/keys/${id}`,
      body: { name: 'ours' },
    }),
  },
  'DELETE /projects/:id/keys/:keyId': {
    make: async (world, owner) => (await makeKey(world, owner.projectId, { mode: owner.mode })).id,
    ask: (id, _world, { projectId }) => ({ path: `/projects/${projectId}/keys/${id}` }),
  },
};

const beside: Readonly<Record<string, Fixture>> = {
  'GET /health/live': plain('/health/live'),
  'GET /health/ready': plain('/health/ready'),
  'GET /metrics': {
    ask: () => ({ path: '/metrics', isNear: true }),
    unproven: { ask: () => ({ path: '/metrics' }), answers: 404 },
  },
  'GET /openapi.json': plain('/openapi.json'),
  'GET /docs': plain('/docs'),
  'GET /docs/start.js': plain('/docs/start.js'),
  'GET /docs/swagger-ui.css': plain('/docs/swagger-ui.css'),
  'GET /docs/swagger-ui-bundle.js': plain('/docs/swagger-ui-bundle.js'),
  'GET /docs/favicon-32x32.png': plain('/docs/favicon-32x32.png'),
  'GET /docs/problems': plain('/docs/problems'),
  'GET /docs/problems.json': plain('/docs/problems.json'),
  'GET /docs/problems/:type': { ...plain('/docs/problems/not-found'), answers: [303] },
  'GET /redoc': plain('/redoc'),
  'GET /redoc/redoc.standalone.js': plain('/redoc/redoc.standalone.js'),
  'GET /preferences/:token': {
    make: preferencesToken,
    ask: (token) => ({ path: `/preferences/${token}` }),
  },
  'POST /preferences/:token': {
    make: preferencesToken,
    ask: (token) => ({
      path: `/preferences/${token}`,
      body: 'shown=service&on=service&from=22:00&to=08:00&zone=UTC&form=preferences',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    }),
  },
  'POST /callbacks/:name/:jobId/:attempt': {
    make: sentByTwilio,
    ask: (jobId, world) => callback(jobId, world, twilioSignature(jobId, world)),
    unproven: { ask: (jobId, world) => callback(jobId, world, 'forged'), answers: 403 },
  },
  'POST /callbacks/:name': {
    ask: (_, world) => listedReport(reportsToken(world.env['PLAY_MOBILE_PASSWORD'] ?? '')),
    unproven: { ask: () => listedReport('forged'), answers: 403 },
  },
};

const listedReport = (token: string) => ({
  path: `/callbacks/play-mobile?token=${token}`,
  body: { 'message-id': 'one', status: 'Delivered' },
});

/** Of a recipient's own page. */
async function preferencesToken(world: World, owner: Owner): Promise<string> {
  const recipientId = await makeRecipient(world, owner);
  const projectId = owner.projectId as ProjectId;
  const url = preferencesLinks(world.hash, '').urlOf({ projectId, recipientId, linkVersion: 0 });
  return url.slice('/preferences/'.length);
}

/** A job whose first attempt Twilio has taken. */
async function sentByTwilio(world: World, owner: Owner): Promise<string> {
  const { jobId } = await makeVerification(world, owner);
  await world.db.query(
    `insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome, provider_reference)
     values ($1, 1, $2, 'sms', 'twilio', now(), now(), 'completed', 'SM1')`,
    [jobId, owner.projectId],
  );
  return jobId;
}

const callbackPath = (jobId: string) => `/callbacks/twilio/${jobId}/1`;
/** In the order of their names, in which they are signed. */
const report = (world: World) => ({
  AccountSid: world.env['TWILIO_ACCOUNT_SID'] ?? '',
  MessageSid: 'SM1',
  MessageStatus: 'delivered',
});

const callback = (jobId: string, world: World, signature: string) => ({
  path: callbackPath(jobId),
  body: new URLSearchParams(report(world)).toString(),
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Twilio-Signature': signature },
});

/** Contracts §5: the URL and the sorted fields. */
function twilioSignature(jobId: string, world: World): string {
  const fields = Object.entries(report(world)).flat().join('');
  return createHmac('sha1', world.env['TWILIO_AUTH_TOKEN'] ?? '')
    .update(world.urls.api + callbackPath(jobId) + fields)
    .digest('base64');
}

export const apiFixtures: Readonly<Record<string, Fixture>> = {
  ...otp,
  ...registration,
  ...personFixtures,
  ...messages,
  ...webhooks,
  ...projects,
  ...beside,
  ...productApiFixtures,
};

const update = (token: string) => {
  const from = { id: newNumber(), is_bot: false, first_name: 'Aziza' };
  const message = { message_id: 1, date: 1, from, chat: { id: from.id, type: 'private' }, text: 'salom' };
  return {
    path: '/telegram/webhook',
    body: { update_id: newNumber(), message },
    headers: { 'X-Telegram-Bot-Api-Secret-Token': token },
  };
};

export const botFixtures: Readonly<Record<string, Fixture>> = {
  'GET /health': plain('/health'),
  'POST /telegram/webhook': {
    ask: () => update(BOT_SECRET),
    unproven: { ask: () => update('of-somebody-else'), answers: 401 },
  },
};
