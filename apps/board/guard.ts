import type { Request, RequestHandler, Response } from 'express';
import type { AuditLog } from '../../domain/staff/audit.ts';
import { may, type StaffAction } from '../../domain/staff/policy.ts';
import type { StaffSessions } from '../../domain/staff/session.ts';
import { Problem } from '../http/problem.ts';
import { wantsJson } from './answer.ts';
import { isFormToken, rememberVisit, sessionToken, visitOf, visitOfToken } from './visit.ts';

export interface Guarding {
  readonly sessions: StaffSessions;
  readonly audit: AuditLog;
  readonly clock: () => Date;
}

export const changesNothing = (req: Request): boolean => req.method === 'GET' || req.method === 'HEAD';

/** Whoever has no session is sent to the login, and back here after it; a program gets 401. */
export function requireSession({ sessions, clock }: Guarding): RequestHandler {
  return async (req, res, next) => {
    const token = sessionToken(req);
    const staff = token === null ? null : await sessions.find(token, clock());
    if (token !== null && staff) {
      rememberVisit(res, visitOfToken(staff, token));
      next();
    } else if (changesNothing(req) && !wantsJson(req) && !req.path.startsWith('/api/')) {
      res.redirect(303, `/login?next=${encodeURIComponent(req.originalUrl)}`);
    } else {
      throw new Problem(401, 'unauthenticated', 'Log in at /login first.');
    }
  };
}

type Origin = 'own' | 'foreign' | 'unsaid';

/**
 * Where a browser says that a request comes from. Every browser since 2023 sends `Sec-Fetch-Site`, and `Origin` with
 * whatever is no GET; a page can forge neither.
 */
export function originOf(req: Request): Origin {
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? 'own' : 'foreign';
  const { origin } = req.headers;
  if (origin === undefined) return 'unsaid';
  return URL.canParse(origin) && new URL(origin).host === req.host ? 'own' : 'foreign';
}

/**
 * Refuses what another site makes a browser send here with its session. It covers Bull Board's own requests, which carry
 * no token; a program that holds a session says `Origin` itself.
 */
export function refuseForeign({ audit, clock }: Guarding): RequestHandler {
  return async (req, res, next) => {
    if (changesNothing(req) || originOf(req) === 'own') return next();
    await auditRefusal(res, { audit, clock }, `${req.method} ${req.path}`, originOf(req));
    throw new Problem(403, 'foreign-origin', 'This request does not come from the board itself.');
  };
}

/** A form carries the session's own token; JSON can't be sent across sites without asking, and is told by its type. */
export function requireFormToken({ audit, clock }: Guarding): RequestHandler {
  return async (req, res, next) => {
    const given = (req.body as { token?: unknown } | undefined)?.token;
    if (changesNothing(req) || saysJson(req) || isFormToken(visitOf(res), given)) return next();
    await auditRefusal(res, { audit, clock }, `${req.method} ${req.path}`, 'form-token');
    throw new Problem(403, 'form-expired', 'This form is from another session. Load its page again.');
  };
}

/** By its header alone, so that a command without a body may say it too. */
const saysJson = (req: Request): boolean =>
  /^application\/json\s*(;|$)/i.test(req.headers['content-type'] ?? '');

function auditRefusal(
  res: Response,
  { audit, clock }: Pick<Guarding, 'audit' | 'clock'>,
  subject: string,
  reason: string,
): Promise<void> {
  const detail = { outcome: 'refused', reason };
  return audit.write(
    { by: visitOf(res).staff, action: 'request.refused', subject: subject.slice(0, SUBJECT_MAX), detail },
    clock(),
  );
}

/** A path may be as long as its sender likes; the audit row is not. */
export const SUBJECT_MAX = 200;

/** @throws Problem 403, with an audit row where the action would have changed something. */
export async function requireRole(
  res: Response,
  action: StaffAction,
  subject: string,
  { audit, clock }: Pick<Guarding, 'audit' | 'clock'>,
): Promise<void> {
  const { staff } = visitOf(res);
  if (may(staff.role, action)) return;
  if (!action.endsWith('.read')) {
    const detail = { outcome: 'refused', reason: 'role', role: staff.role };
    await audit.write({ by: staff, action, subject: subject.slice(0, SUBJECT_MAX), detail }, clock());
  }
  throw new Problem(403, 'role-forbids', `Your role (${staff.role}) may not do this.`);
}
