import type { Request } from 'express';

/** `__Host-` (RFC 6265bis) binds the cookie to this host and to https; browsers refuse that name over plain http. */
export const sessionCookieName = (req: Request) => (req.secure ? '__Host-navbat_staff' : 'navbat_staff');

/** What the board's cookie of a member of staff holds. */
export const sessionToken = (req: Request): string | null => cookieOf(req, sessionCookieName(req));

export function cookieOf(req: Request, name: string): string | null {
  const wanted = `${name}=`;
  const pairs = (req.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(wanted))?.slice(wanted.length) || null;
}
