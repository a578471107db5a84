import type { Request, RequestHandler } from 'express';
import type { AuditLog } from '../../domain/staff/audit.ts';
import type { SessionRule } from '../../domain/staff/access/route-rules.ts';
import { may } from '../../domain/staff/role-actions.ts';
import type { ShownSession, StaffSessions } from '../../domain/staff/session.ts';
import { authenticateStaff, requireOwnPage, requireRole } from './authenticate-staff.ts';
import { changesNothing, originOf } from './origin.ts';
import { Problem } from './problem.ts';
import { countFurther, limitAddress, limitStaff } from './rate-limit.ts';
import type { Answer, DoorRoute, OpenRoute, StaffRoute, StaffSessionRoute } from './route.ts';
import { identify, type Incoming, readRequest, serve, type ServingAny } from './serve-route.ts';

type Events = NonNullable<Answer['events']>;

export interface StaffServing extends ServingAny {
  readonly sessions: StaffSessions;
  readonly audit: AuditLog;
}

/** Serves one route of the staff's door. No page of another site may read an answer, or send what changes something. */
export const serveStaffRoute = (route: DoorRoute, serving: StaffServing): RequestHandler =>
  serve(route.path, serving, (incoming) => {
    switch (route.by) {
      case 'staff':
        return answerStaff(route, serving, incoming);
      case 'session':
        return answerSession(route, serving, incoming);
      case 'anyone':
        return answerAnyone(route, serving, incoming);
    }
  });

async function answerStaff(route: StaffRoute, serving: StaffServing, incoming: Incoming): Promise<Answer> {
  const { req, res, ip } = incoming;
  const { id, staff } = await enter(serving, incoming, { extent: 'full', credentials: route.credentials });
  // Before what a refusal writes.
  const standing = await limitStaff(serving.counter, id, ip, res);
  await requireOwnPage(req, staff, { audit: serving.audit });
  await requireRole(req, staff, route, { audit: serving.audit });
  const further = countFurther(serving.counter, res, standing);
  const answer = await route.handle({ ...(await readRequest(route, incoming, further)), staff });
  return answer.events ? { ...answer, events: whileMay(route, serving, req, answer.events) } : answer;
}

/** So long a stream outlives its session, its account or its role: one look-up of each who follows. */
const ASKED_AGAIN_MS = 5_000;

/** The events until the session opens the route no more. Where nobody can tell, they end too: a client comes back by itself. */
const whileMay = (route: StaffRoute, serving: StaffServing, req: Request, events: Events): Events =>
  async function* (signal) {
    const ended = new AbortController();
    const ask = async () => {
      const asked = { extent: 'full', credentials: route.credentials } as const;
      const { staff } = await authenticateStaff(serving.sessions, req, asked, serving.clock());
      if (!may(staff.role, route.action)) ended.abort();
    };
    const asking = setInterval(() => void ask().catch(() => ended.abort()), ASKED_AGAIN_MS);
    try {
      yield* events(AbortSignal.any([signal, ended.signal]));
    } finally {
      clearInterval(asking);
    }
  };

async function answerSession(
  route: StaffSessionRoute,
  serving: StaffServing,
  incoming: Incoming,
): Promise<Answer> {
  const { req, res, ip } = incoming;
  const session = await enter(serving, incoming, route);
  const { id, staff } = session;
  const standing = await limitStaff(serving.counter, id, ip, res);
  await requireOwnPage(req, staff, { audit: serving.audit });
  const further = countFurther(serving.counter, res, standing);
  return route.handle({ ...(await readRequest(route, incoming, further)), staff, session });
}

const enter = (
  serving: StaffServing,
  incoming: Incoming,
  asked: Pick<SessionRule, 'extent' | 'credentials'>,
): Promise<ShownSession> =>
  identify(serving, incoming, () => authenticateStaff(serving.sessions, incoming.req, asked, incoming.now));

async function answerAnyone(route: OpenRoute, serving: StaffServing, incoming: Incoming): Promise<Answer> {
  const { req, res, ip } = incoming;
  // Another site's page would guess passwords from the addresses of whoever visits it.
  if (!changesNothing(req) && originOf(req) === 'foreign')
    throw new Problem(403, 'foreign-origin', 'This login does not come from the board itself.');
  const standing = await limitAddress(serving.counter, ip, res);
  const further = countFurther(serving.counter, res, standing);
  return route.handle(await readRequest(route, incoming, further));
}
