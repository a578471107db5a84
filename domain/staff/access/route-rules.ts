import type { KeyScope } from '../../project/key.ts';
import type { StaffAction } from '../role-actions.ts';
import type { SessionVia } from '../session.ts';

/**
 * Who may what. Each route there is has one of these rules: those of the API carry it in their own value, because its type
 * demands one there (`apps/http/route.ts`), and so do those of the staff's door; every other route, which Express would take without, stands in the tables below.
 * They are here and not with the apps, because no app may know another and the policy is to be read in one place; what a role of
 * staff may do is `domain/staff/role-actions.ts`. `test/rules/policy.system.test.ts` asks every route as everybody.
 */
export type Rule = KeyRule | PersonRule | StaffRule | SessionRule | ProofRule | OpenRule;

/** Asks for a project's key. */
export interface KeyRule {
  readonly by: 'key';
  /** What the API key must hold. */
  readonly scope: KeyScope;
  /**
   * A test key's holder sees codes and need not be trusted with what is live: `apart`, it reaches only what test keys made
   * (and may read its own project); `refused`, it is told 403.
   */
  readonly testKeys: 'apart' | 'refused';
}

/** Asks for the access token of a person who signed in. */
export interface PersonRule {
  readonly by: 'person';
  /**
   * Whose sessions reach it: those of any project, of Navbat's own app, or of the app on a device that is bound; or, for what is a
   * person's money, live ones of the one project in which they earn. A person is the same in every project: elsewhere a session would
   * let any site where they signed in take what is theirs.
   */
  readonly session: 'project' | 'app' | 'device' | 'earner';
  /** The person must have proved themselves a moment ago: for what a stolen session must not do. */
  readonly fresh?: boolean;
}

/** Asks for a member of staff whose role may do this. */
export interface StaffRule extends Shown {
  readonly by: 'staff';
  readonly action: StaffAction;
}

/** Asks for a member of staff, whatever their role: `pending-2fa` is a session that has shown a password only. */
export interface SessionRule extends Shown {
  readonly by: 'session';
  readonly extent: 'full' | 'pending-2fa' | 'either';
}

/** How staff show their session, and what besides. The board's pages take their cookie alone. */
interface Shown {
  readonly credentials: readonly SessionVia[];
  /**
   * Its body carries `proof_id`: a second factor of the last five minutes for exactly what is asked. The handler uses it up in the
   * transaction of what it approves.
   */
  readonly proof?: true;
}

/** Asks for nobody, but for something that only one can have sent: checked where it is read. */
export interface ProofRule {
  readonly by: 'proof';
  readonly of: 'provider-signature' | 'provider-token' | 'telegram-secret' | 'own-network';
}

/** Asks for nothing: what it takes carries its own proof, or is for everybody. */
export interface OpenRule {
  readonly by: 'anyone';
  /** Why nobody need say who they are. */
  readonly because: string;
}

/** By method and path, as Express writes them. */
export type RouteRules = Readonly<Record<`${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`, Rule>>;

const page = ['cookie'] as const;
const may = (action: StaffAction): StaffRule => ({ by: 'staff', action, credentials: page });
const anyone = (because: string): OpenRule => ({ by: 'anyone', because });
const pendingSession: SessionRule = { by: 'session', extent: 'pending-2fa', credentials: page };
const leaving: SessionRule = { by: 'session', extent: 'either', credentials: page };
const themselves: SessionRule = { by: 'session', extent: 'full', credentials: page };

const probe = anyone('an orchestrator asks, and learns nothing else');
const ownPage = anyone(
  'whoever has the link is who it was sent to: it names one recipient, and carries a MAC',
);
const ownLink = anyone('whoever has the link is the payee whom it was sent to: its token is 32 random bytes');
const documents = anyone('whoever writes a client reads them');
const beforeLogin = anyone('it stands before the login');

/** What the API answers beside its routes. */
export const apiRules = {
  'GET /health/live': probe,
  'GET /health/ready': probe,
  'GET /metrics': { by: 'proof', of: 'own-network' },
  'GET /openapi.json': documents,
  'GET /docs': documents,
  'GET /docs/start.js': documents,
  'GET /docs/swagger-ui.css': documents,
  'GET /docs/swagger-ui-bundle.js': documents,
  'GET /docs/favicon-32x32.png': documents,
  'GET /docs/problems': documents,
  'GET /docs/problems.json': documents,
  'GET /docs/problems/:type': documents,
  'GET /redoc': documents,
  'GET /redoc/redoc.standalone.js': documents,
  'GET /preferences/:token': ownPage,
  'POST /preferences/:token': ownPage,
  'GET /payout-links/:token': ownLink,
  'POST /payout-links/:token': ownLink,
  'POST /callbacks/multicard/payments': { by: 'proof', of: 'provider-signature' },
  'POST /callbacks/multicard/bindings/:bindingId': { by: 'proof', of: 'provider-token' },
  'POST /callbacks/:name/:jobId/:attempt': { by: 'proof', of: 'provider-signature' },
  'POST /callbacks/:name': { by: 'proof', of: 'provider-token' },
} as const satisfies RouteRules;

export const botRules = {
  'GET /health': probe,
  'POST /telegram/webhook': { by: 'proof', of: 'telegram-secret' },
} as const satisfies RouteRules;

const bullBoard = may('board.read');

/**
 * All that the board lets in: what has no rule here is refused, Bull Board's other mutating routes among it, and so are routes that
 * a new version of it brings.
 */
export const boardRules = {
  'GET /health': probe,
  'GET /assets/*file': beforeLogin,
  'GET /docs/problems': documents,
  'GET /docs/problems.json': documents,
  'GET /docs/problems/:type': documents,
  'GET /staff/openapi.json': documents,
  'GET /staff/docs': documents,
  'GET /staff/docs/start.js': documents,
  'GET /staff/docs/swagger-ui.css': documents,
  'GET /staff/docs/swagger-ui-bundle.js': documents,
  'GET /staff/docs/favicon-32x32.png': documents,
  'GET /login': beforeLogin,
  'POST /login': beforeLogin,
  'GET /login/second-factor': pendingSession,
  'POST /login/second-factor': pendingSession,
  'GET /logout': leaving,
  'POST /logout': leaving,

  'GET /ops': may('ops.read'),
  'POST /ops/search': may('ops.read'),
  'GET /ops/jobs': may('ops.read'),
  'GET /ops/jobs/:id': may('ops.read'),
  'POST /ops/jobs/:id/retry': may('job.retry'),
  'POST /ops/jobs/:id/promote': may('job.promote'),
  'POST /ops/jobs/:id/cancel': may('job.cancel'),
  'GET /ops/recipients': may('ops.read'),
  'GET /ops/recipients/:address': may('ops.read'),
  'GET /ops/failures': may('ops.read'),
  'GET /ops/retry': may('jobs.retry'),
  'POST /ops/retry': may('jobs.retry'),
  'GET /ops/queues': may('ops.read'),
  'GET /ops/queues/:kind/pause': may('queue.pause'),
  'POST /ops/queues/:kind/pause': may('queue.pause'),
  'POST /ops/queues/:kind/resume': may('queue.resume'),
  'GET /ops/chats': may('ops.read'),
  'POST /ops/chats/:chatId/open': may('chat.open'),
  'GET /ops/audit': may('audit.read'),
  'GET /account': themselves,
  'POST /account/recovery-codes': themselves,

  'PUT /api/queues/:kind/pause': may('queue.pause'),
  'PUT /api/queues/:kind/resume': may('queue.resume'),
  'PUT /api/queues/:kind/:jobId/retry': may('job.retry'),
  'PUT /api/queues/:kind/:jobId/promote': may('job.promote'),
  // What Bull Board's button "remove" calls.
  'PUT /api/queues/:kind/:jobId/clean': may('job.cancel'),

  'GET /': bullBoard,
  'GET /metrics-history': bullBoard,
  'GET /job-schedulers': bullBoard,
  'GET /queue/:queueName': bullBoard,
  'GET /queue/:queueName/:jobId': bullBoard,
  'GET /static/*file': bullBoard,
  'GET /api/redis/stats': bullBoard,
  'GET /api/queues': bullBoard,
  'GET /api/job-schedulers': bullBoard,
  'GET /api/queues/:queueName/metrics': bullBoard,
  'GET /api/queues/:queueName/default-job-options': bullBoard,
  'GET /api/queues/:queueName/workers': bullBoard,
  'GET /api/queues/:queueName/rate-limit': bullBoard,
  'GET /api/queues/:queueName/job-data-schema': bullBoard,
  'GET /api/queues/:queueName/:jobId/logs': bullBoard,
  'GET /api/queues/:queueName/:jobId/flow': bullBoard,
  'GET /api/queues/:queueName/:jobId': bullBoard,
} as const satisfies RouteRules;
