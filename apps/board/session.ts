import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import { BROWSER_DAYS } from '../../domain/staff/browser.ts';
import type { StaffMember } from '../../domain/staff/port.ts';
import { PENDING_SESSION_MINUTES, SESSION_HOURS } from '../../domain/staff/session.ts';
import { cookieOf, sessionCookieName } from '../http/staff-cookie.ts';

/** Who asks, as their session says. */
export interface BoardSession {
  readonly staff: StaffMember;
  /** The cookie's value: whoever holds it is that person. */
  readonly token: string;
  /** Stands in every form. It is made from the token, which a foreign page can't read. */
  readonly formToken: string;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export function setSessionCookie(
  req: Request,
  res: Response,
  token: string,
  extent: 'pending-2fa' | 'full',
): void {
  const maxAge = extent === 'full' ? SESSION_HOURS * HOUR_MS : PENDING_SESSION_MINUTES * MINUTE_MS;
  res.cookie(sessionCookieName(req), token, { ...cookieOptions(req), maxAge });
}

export function clearSessionCookie(req: Request, res: Response): void {
  res.clearCookie(sessionCookieName(req), cookieOptions(req));
}

/** Lax: a link in a chat opens the board, while no foreign page can post to it. */
const cookieOptions = (req: Request) =>
  ({ httpOnly: true, sameSite: 'lax', secure: req.secure, path: '/' }) as const;

/** Of a browser in which somebody logged in wholly; it opens nothing. */
const browserCookieName = (req: Request) =>
  req.secure ? '__Host-navbat_staff_browser' : 'navbat_staff_browser';

export function setBrowserCookie(req: Request, res: Response, token: string): void {
  res.cookie(browserCookieName(req), token, { ...cookieOptions(req), maxAge: BROWSER_DAYS * DAY_MS });
}

export const browserToken = (req: Request): string | null => cookieOf(req, browserCookieName(req));

export const sessionOfToken = (staff: StaffMember, token: string): BoardSession => ({
  staff,
  token,
  formToken: createHmac('sha256', token).update('navbat form').digest('base64url'),
});

export function rememberSession(res: Response, session: BoardSession): void {
  res.locals['session'] = session;
}

/** @throws Error where no session was asked for before: a route that stands in the wrong place. */
export function sessionOf(res: Response): BoardSession {
  const session = res.locals['session'] as BoardSession | undefined;
  if (!session) throw new Error('this route stands before the session check');
  return session;
}

export function isFormToken(session: BoardSession, given: unknown): boolean {
  if (typeof given !== 'string') return false;
  const [left, right] = [Buffer.from(given), Buffer.from(session.formToken)];
  return left.length === right.length && timingSafeEqual(left, right);
}
