import type { RequestHandler } from 'express';
import type { AuditLog } from '../../domain/staff/audit.ts';
import type { SessionRule } from '../../domain/staff/access/route-rules.ts';
import type { ShownSession, StaffSessions } from '../../domain/staff/session.ts';
import { authenticateStaff, requireOwnPage, requireRole } from './authenticate-staff.ts';
import { changesNothing, originOf } from './origin.ts';
import { Problem } from './problem.ts';
import { countFurther, limitAddress, limitStaff } from './rate-limit.ts';
import type { Answer, DoorRoute, OpenRoute, StaffRoute, StaffSessionRoute } from './route.ts';
import { identify, type Incoming, readRequest, serve, type ServingAny } from './serve-route.ts';

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
  return route.handle({ ...(await readRequest(route, incoming, further)), staff });
}

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
