import type { Request, RequestHandler, Response } from 'express';
import type { AuditLog } from '../../domain/staff/audit.ts';
import { may, type StaffAction } from '../../domain/staff/role-actions.ts';
import type { StaffSessions } from '../../domain/staff/session.ts';
import { Problem } from '../http/problem.ts';
import { changesNothing, originOf } from '../http/origin.ts';
import { sessionToken } from '../http/staff-cookie.ts';
import { wantsJson } from './answer.ts';
import { isFormToken, rememberSession, type BoardSession, sessionOf, sessionOfToken } from './session.ts';

export interface Guarding {
  readonly sessions: StaffSessions;
  readonly audit: AuditLog;
  readonly clock: () => Date;
}

/** Where the second factor is shown: all that a pending session reaches, but for the logout. */
export const SECOND_FACTOR_PATH = '/login/second-factor';

/** Whoever has no full session is sent to what it lacks, and back here after it; a program gets 401. */
export function requireSession(guarding: Guarding): RequestHandler {
  return async (req, res, next) => {
    const session = await sessionBy(req, guarding, 'full');
    if (session) {
      rememberSession(res, session);
      next();
    } else
      sendToLogin(req, res, (await sessionBy(req, guarding, 'pending-2fa')) ? SECOND_FACTOR_PATH : '/login');
  };
}

/** Whose password was right a few minutes ago. A full session has nothing to do here, and is led on. */
export function requirePendingSession(guarding: Guarding): RequestHandler {
  return async (req, res, next) => {
    const session = await sessionBy(req, guarding, 'pending-2fa');
    if (session) {
      rememberSession(res, session);
      next();
    } else if (wantsJson(req)) throw new Problem(401, 'unauthenticated', 'Log in at /login first.');
    else res.redirect(303, (await sessionBy(req, guarding, 'full')) ? '/' : '/login');
  };
}

/** Nobody is kept from leaving. */
export function requireAnySession(guarding: Guarding): RequestHandler {
  return async (req, res, next) => {
    const session =
      (await sessionBy(req, guarding, 'full')) ?? (await sessionBy(req, guarding, 'pending-2fa'));
    if (!session) return sendToLogin(req, res, '/login');
    rememberSession(res, session);
    next();
  };
}

async function sessionBy(
  req: Request,
  { sessions, clock }: Guarding,
  extent: 'pending-2fa' | 'full',
): Promise<BoardSession | null> {
  const token = sessionToken(req);
  if (token === null) return null;
  const found = await (extent === 'full'
    ? sessions.find(token, 'cookie', clock())
    : sessions.findPending(token, 'cookie', clock()));
  return found && sessionOfToken(found.staff, token);
}

function sendToLogin(req: Request, res: Response, path: string): void {
  if (!changesNothing(req) || wantsJson(req) || req.path.startsWith('/api/'))
    throw new Problem(401, 'unauthenticated', `Log in at ${path} first.`);
  res.redirect(303, `${path}?next=${encodeURIComponent(req.originalUrl)}`);
}

/**
 * Refuses what another site makes a browser send here with its session. It covers Bull Board's own requests, which carry
 * no token; a program that holds a session says `Origin` itself.
 */
export function refuseForeign({ audit }: Guarding): RequestHandler {
  return async (req, res, next) => {
    if (changesNothing(req) || originOf(req) === 'own') return next();
    await auditRefusal(res, { audit }, `${req.method} ${req.path}`, originOf(req));
    throw new Problem(403, 'foreign-origin', 'This request does not come from the board itself.');
  };
}

/** A form carries the session's own token; JSON can't be sent across sites without asking, and is told by its type. */
export function requireFormToken({ audit }: Guarding): RequestHandler {
  return async (req, res, next) => {
    const given = (req.body as { token?: unknown } | undefined)?.token;
    if (changesNothing(req) || saysJson(req) || isFormToken(sessionOf(res), given)) return next();
    await auditRefusal(res, { audit }, `${req.method} ${req.path}`, 'form-token');
    throw new Problem(403, 'form-expired', 'This form is from another session. Load its page again.');
  };
}

/** By its header alone, so that a command without a body may say it too. */
const saysJson = (req: Request): boolean =>
  /^application\/json\s*(;|$)/i.test(req.headers['content-type'] ?? '');

function auditRefusal(
  res: Response,
  { audit }: Pick<Guarding, 'audit'>,
  subject: string,
  reason: string,
): Promise<void> {
  const detail = { outcome: 'refused', reason };
  return audit.write({
    by: sessionOf(res).staff,
    action: 'request.refused',
    subject: subject.slice(0, SUBJECT_MAX),
    detail,
  });
}

/** A path may be as long as its sender likes; the audit row is not. */
export const SUBJECT_MAX = 200;

/** @throws Problem 403, with an audit row where the action would have changed something. */
export async function requireRole(
  res: Response,
  action: StaffAction,
  subject: string,
  { audit }: Pick<Guarding, 'audit'>,
): Promise<void> {
  const { staff } = sessionOf(res);
  if (may(staff.role, action)) return;
  if (!action.endsWith('.read')) {
    const detail = { outcome: 'refused', reason: 'role', role: staff.role };
    await audit.write({ by: staff, action, subject: subject.slice(0, SUBJECT_MAX), detail });
  }
  throw new Problem(403, 'role-forbids', `Your role (${staff.role}) may not do this.`);
}
