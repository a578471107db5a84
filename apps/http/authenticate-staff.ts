import type { Request } from 'express';
import type { AuditLog } from '../../domain/staff/audit.ts';
import type { SessionRule, StaffRule } from '../../domain/staff/access/route-rules.ts';
import type {
  FoundSession,
  SessionVia,
  ShownSession,
  StaffCaller,
  StaffSessions,
} from '../../domain/staff/session.ts';
import { may, type StaffAction } from '../../domain/staff/role-actions.ts';
import { INVALID_TOKEN, NoGuess, unauthenticated } from './authenticate.ts';
import { changesNothing, originOf } from './origin.ts';
import { Problem } from './problem.ts';
import { sessionToken } from './staff-cookie.ts';

type Asked = Pick<SessionRule, 'extent'> & { readonly credentials: readonly SessionVia[] };

/**
 * Which member of staff calls. With a bearer token the cookie is not looked at, whatever the token opens: a browser adds its cookie by
 * itself, and that header nobody but its sender. `Authorization: Basic` is of a proxy before the board, and nothing to us.
 *
 * @throws Problem 401 where there is no session of this extent, or it was opened to be shown otherwise.
 */
export async function authenticateStaff(
  sessions: StaffSessions,
  req: Request,
  { extent, credentials }: Asked,
  now: Date,
): Promise<ShownSession> {
  const { token, via } = presented(req, credentials);
  const full = await sessions.find(token, via, now);
  if (full && extent !== 'pending-2fa') return shown(full, token, via);
  const pending = full ? null : await sessions.findPending(token, via, now);
  if (pending && extent !== 'full') return shown(pending, token, via);
  if (pending)
    throw new NoGuess(
      SECOND_FACTOR_FIRST,
      'This session has shown a password only.',
      'Show the second factor with this token: POST /staff/sessions/second-factor.',
    );
  if (full)
    throw new NoGuess(
      INVALID_TOKEN,
      'This session has shown its second factor already.',
      'Use this token at the other routes; to log in again, begin with POST /staff/sessions.',
    );
  throw unauthenticated(INVALID_TOKEN, 'This session is unknown, or has ended. Log in again.');
}

/** RFC 9470 §3. */
const SECOND_FACTOR_FIRST = 'Bearer realm="navbat-staff", error="insufficient_user_authentication"';

const shown = ({ id, staff }: FoundSession, token: string, via: SessionVia): ShownSession => ({
  id,
  token,
  staff: { ...staff, via },
});

function presented(
  req: Request,
  credentials: readonly SessionVia[],
): { readonly token: string; readonly via: SessionVia } {
  const headers = req.headersDistinct['authorization'] ?? [];
  if (headers.some((header) => /^bearer\b/i.test(header)) && credentials.includes('bearer')) {
    // Of two, a proxy before us may have looked at the other one.
    const token = headers.length === 1 ? /^bearer +(\S+)$/i.exec(headers[0] ?? '')?.[1] : undefined;
    if (token === undefined)
      throw unauthenticated(INVALID_TOKEN, 'Send one header Authorization: Bearer nbs_….');
    return { token, via: 'bearer' };
  }
  const cookie = credentials.includes('cookie') ? sessionToken(req) : null;
  if (cookie === null)
    throw new NoGuess('Bearer realm="navbat-staff"', 'Log in by POST /staff/sessions first.');
  return { token: cookie, via: 'cookie' };
}

export interface StaffGuards {
  readonly audit: AuditLog;
}

/**
 * A browser sends its cookie with what any page makes it send.
 *
 * @throws Problem 403, with an audit row, where a request by cookie would change something and our own page did not send it.
 */
export async function requireOwnPage(
  req: Request,
  staff: StaffCaller,
  { audit }: StaffGuards,
): Promise<void> {
  if (staff.via === 'bearer' || changesNothing(req) || originOf(req) === 'own') return;
  const detail = { outcome: 'refused', reason: originOf(req) };
  await audit.write({ by: staff, action: 'request.refused', subject: subjectOf(req), detail });
  throw new Problem(403, 'foreign-origin', 'This request does not come from the board itself.');
}

/** @throws Problem 403, with an audit row where the action would have changed something or shown money. */
export async function requireRole(
  req: Request,
  staff: StaffCaller,
  { action }: StaffRule,
  guards: StaffGuards,
): Promise<void> {
  await requireAction(staff, action, subjectOf(req), guards);
}

/** The same for an action that the body names. */
export async function requireAction(
  staff: StaffCaller,
  action: StaffAction,
  subject: string,
  { audit }: StaffGuards,
): Promise<void> {
  if (may(staff.role, action)) return;
  // Everybody's pages of read-only things are met by a link; nobody comes to the money by one.
  if (!action.endsWith('.read') || action === 'finance.read') {
    const detail = { outcome: 'refused', reason: 'role', role: staff.role, via: staff.via };
    await audit.write({ by: staff, action, subject, detail });
  }
  throw new Problem(403, 'role-forbids', `Your role (${staff.role}) may not do this.`);
}

/** A path may be as long as its sender likes; the audit row is not. */
const SUBJECT_MAX = 200;
const subjectOf = (req: Request): string => `${req.method} ${req.path}`.slice(0, SUBJECT_MAX);
