import { appRoutes } from '@bull-board/api/dist/routes.js';
import { boardRules } from '../../../domain/staff/access/route-rules.ts';
import { shapeOf } from './express-routes.ts';
import { makeClosedChat, makeVerification, recipientOf } from './objects.ts';
import { type Fixture } from './fixture.ts';
import { insertStaffSession, makeStaff } from './roles.ts';
import { productFixtures } from './product-fixtures.ts';
import { proofFixtures } from './staff-proofs.ts';
import type { Owner, World } from './world.ts';

/** One for each route of the board. Staff look after every project's things: what they lack is only what is not there. */

const job = async (world: World, owner: Owner) => (await makeVerification(world, owner)).jobId;
const failedJob = async (world: World, owner: Owner) => {
  const id = await job(world, owner);
  await world.db.query(`update job set state = 'failed', finished_at = now() where id = $1`, [id]);
  return id;
};
const queue = async () => 'otp-send';
const noQueue = () => 'no-such-queue';

const page = (path: string, more: Partial<Fixture> = {}): Fixture => ({ ask: () => ({ path }), ...more });
const about = (make: NonNullable<Fixture['make']>, path: string, more: Partial<Fixture> = {}): Fixture => ({
  make,
  ask: (id) => ({ path: path.replace('{id}', id) }),
  ...more,
});
const command = (make: NonNullable<Fixture['make']>, path: string, more: Partial<Fixture> = {}): Fixture => ({
  make,
  ask: (id) => ({ path: path.replace('{id}', id), body: {} }),
  ...more,
});

const login: Readonly<Record<string, Fixture>> = {
  'GET /health': page('/health'),
  'GET /assets/*file': page('/assets/board.css'),
  'GET /docs/problems': page('/docs/problems'),
  'GET /docs/problems.json': page('/docs/problems.json'),
  'GET /docs/problems/:type': { ...page('/docs/problems/not-found'), answers: [303] },
  'GET /login': page('/login'),
  // Nobody's password: that it was looked at is all that matters here.
  'POST /login': {
    ask: () => ({ path: '/login', body: { email: 'nobody@navbat.example', password: 'a guess' } }),
    answers: [401],
    says: 'login-refused',
  },
  'GET /login/second-factor': page('/login/second-factor'),
  'POST /login/second-factor': {
    ask: () => ({ path: '/login/second-factor', body: { code: '000000' } }),
    answers: [401],
    says: 'second-factor-refused',
  },
  'GET /account': page('/account'),
  'POST /account/recovery-codes': {
    ask: () => ({ path: '/account/recovery-codes', body: { code: '000000' } }),
    answers: [403],
    says: 'second-factor-refused',
  },
  'GET /logout': page('/logout'),
  'POST /logout': { ask: () => ({ path: '/logout', body: {} }) },
};

/** A session of the one who asks, or of another member of staff. */
const session = async (world: World, { staffId }: Owner) => {
  const id = staffId ?? (await makeStaff(world, 'viewer'));
  return (await insertStaffSession(world, { staffId: id, extent: 'full', via: 'bearer' })).id;
};

const sessions: Readonly<Record<string, Fixture>> = {
  'GET /staff/openapi.json': page('/staff/openapi.json'),
  'GET /staff/docs': page('/staff/docs'),
  'GET /staff/docs/start.js': page('/staff/docs/start.js'),
  'GET /staff/docs/swagger-ui.css': page('/staff/docs/swagger-ui.css'),
  'GET /staff/docs/swagger-ui-bundle.js': page('/staff/docs/swagger-ui-bundle.js'),
  'GET /staff/docs/favicon-32x32.png': page('/staff/docs/favicon-32x32.png'),
  'POST /staff/sessions': {
    ask: () => ({ path: '/staff/sessions', body: { email: 'nobody@navbat.example', password: 'a guess' } }),
    answers: [401],
    says: 'login-refused',
  },
  'POST /staff/sessions/second-factor': {
    ask: () => ({ path: '/staff/sessions/second-factor', body: { code: '000000' } }),
    answers: [401],
    says: 'second-factor-refused',
  },
  'POST /staff/sessions/second-factor/set-up': page('/staff/sessions/second-factor/set-up'),
  'GET /staff/sessions': { make: session, lists: true, ask: () => ({ path: '/staff/sessions?limit=100' }) },
  'DELETE /staff/sessions/current': page('/staff/sessions/current'),
  'DELETE /staff/sessions/:id': about(session, '/staff/sessions/{id}'),
};

const ops: Readonly<Record<string, Fixture>> = {
  'GET /ops': page('/ops'),
  'POST /ops/search': { ask: () => ({ path: '/ops/search', body: { q: 'landline' } }) },
  'GET /ops/jobs': page('/ops/jobs'),
  'GET /ops/jobs/:id': about(job, '/ops/jobs/{id}'),
  'POST /ops/jobs/:id/retry': command(failedJob, '/ops/jobs/{id}/retry'),
  'POST /ops/jobs/:id/promote': command(job, '/ops/jobs/{id}/promote'),
  'POST /ops/jobs/:id/cancel': command(job, '/ops/jobs/{id}/cancel'),
  'GET /ops/recipients': about(recipientOf, '/ops/recipients?recipient={id}', { lacks: 400 }),
  // An address that nobody has had has an empty page: staff come here with a number.
  'GET /ops/recipients/:address': page(`/ops/recipients/${'0'.repeat(64)}`),
  'GET /ops/failures': page('/ops/failures'),
  'GET /ops/retry': page('/ops/retry?reason=nothing-like-it'),
  'POST /ops/retry': {
    ask: () => ({ path: '/ops/retry', body: { reason: 'nothing-like-it', confirm: true } }),
  },
  'GET /ops/queues': page('/ops/queues'),
  'GET /ops/queues/:kind/pause': about(queue, '/ops/queues/{id}/pause', { nothing: noQueue }),
  'POST /ops/queues/:kind/pause': command(queue, '/ops/queues/{id}/pause', {
    ask: (id) => ({ path: `/ops/queues/${id}/pause`, body: { why: 'a test' } }),
    nothing: noQueue,
  }),
  'POST /ops/queues/:kind/resume': command(queue, '/ops/queues/{id}/resume', { nothing: noQueue }),
  'GET /ops/chats': page('/ops/chats'),
  'POST /ops/chats/:chatId/open': command(makeClosedChat, '/ops/chats/{id}/open', {
    ask: (id) => ({ path: `/ops/chats/${id}/open`, body: { why: 'a test' } }),
  }),
  'GET /ops/audit': page('/ops/audit'),
};

/** Nothing of these is in Redis while no worker or reconciler runs: Bull Board knows the queues, and no job. */
const queues: Readonly<Record<string, Fixture>> = {
  'PUT /api/queues/:kind/pause': about(queue, '/api/queues/{id}/pause', {
    ask: (id) => ({ path: `/api/queues/${id}/pause`, body: { why: 'a test' } }),
    nothing: noQueue,
  }),
  'PUT /api/queues/:kind/resume': about(queue, '/api/queues/{id}/resume', { nothing: noQueue }),
  'PUT /api/queues/:kind/:jobId/retry': about(failedJob, '/api/queues/otp-send/{id}/retry'),
  'PUT /api/queues/:kind/:jobId/promote': about(job, '/api/queues/otp-send/{id}/promote'),
  'PUT /api/queues/:kind/:jobId/clean': about(job, '/api/queues/otp-send/{id}/clean'),
  'GET /': page('/'),
  'GET /metrics-history': page('/metrics-history'),
  'GET /job-schedulers': page('/job-schedulers'),
  'GET /queue/:queueName': page('/queue/otp-send'),
  'GET /queue/:queueName/:jobId': page('/queue/otp-send/4711'),
  'GET /static/*file': page('/static/favicon.ico'),
  'GET /api/redis/stats': page('/api/redis/stats'),
  'GET /api/queues': page('/api/queues'),
  'GET /api/job-schedulers': page('/api/job-schedulers'),
  'GET /api/queues/:queueName/metrics': about(queue, '/api/queues/{id}/metrics', { nothing: noQueue }),
  'GET /api/queues/:queueName/default-job-options': about(queue, '/api/queues/{id}/default-job-options', {
    nothing: noQueue,
  }),
  'GET /api/queues/:queueName/workers': about(queue, '/api/queues/{id}/workers', { nothing: noQueue }),
  'GET /api/queues/:queueName/rate-limit': about(queue, '/api/queues/{id}/rate-limit', { nothing: noQueue }),
  'GET /api/queues/:queueName/job-data-schema': about(queue, '/api/queues/{id}/job-data-schema', {
    nothing: noQueue,
  }),
  'GET /api/queues/:queueName/:jobId/logs': page('/api/queues/otp-send/4711/logs'),
  'GET /api/queues/:queueName/:jobId/flow': page('/api/queues/otp-send/4711/flow', { answers: [404] }),
  'GET /api/queues/:queueName/:jobId': page('/api/queues/otp-send/4711', { answers: [404] }),
};

const ruled = new Set(Object.keys(boardRules).map(shapeOf));

/** Bull Board's own routes that change something, but for the five that are commands of ours: nobody may use them. */
export const forbidden: readonly string[] = appRoutes.api
  .flatMap(({ method, route }) =>
    [method].flat().flatMap((verb) => [route].flat().map((path) => [verb, path] as const)),
  )
  .filter(([verb]) => verb !== 'get')
  .map(([verb, path]) => `${verb.toUpperCase()} ${path}`)
  .filter((route) => !ruled.has(shapeOf(route)));

const forbiddenFixtures = Object.fromEntries(
  forbidden.map((route): [string, Fixture] => {
    const path = (route.split(' ')[1] ?? '')
      .replace(':queueName', 'otp-send')
      .replace(':jobId', '4711')
      .replace(':schedulerId', 'any')
      .replace(':queueStatus', 'failed');
    return [route, { ask: () => ({ path, body: {} }) }];
  }),
);

export const boardFixtures: Readonly<Record<string, Fixture>> = {
  ...forbiddenFixtures,
  ...login,
  ...sessions,
  ...proofFixtures,
  ...productFixtures,
  ...ops,
  ...queues,
};
