import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { Caller } from '../../domain/project/caller.ts';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';

/** What a page may send. */
const REQUEST_HEADERS =
  'Authorization, X-Api-Key, Content-Type, Idempotency-Key, X-Request-Id, X-Telegram-Auth, Last-Event-ID';
/** What it may read beside the body. */
const ANSWER_HEADERS =
  'Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Idempotent-Replayed, WWW-Authenticate';
/** Browsers ask again after ten minutes; Chromium would remember two hours at most. */
const PREFLIGHT_SECONDS = 600;

/**
 * Which pages may call a route (Fetch §3.2). `listed`: those that the publishable key in the request names. `any`: it takes no key,
 * and what it takes in its place a page must hold already; no cookie opens anything. Null: services and our own app alone.
 */
type Pages = 'listed' | 'any' | null;

function pagesOf(route: Route): Pages {
  if (route.by === 'anyone') return 'any';
  if (route.by === 'staff') return null;
  if (route.by === 'person') return route.session === 'project' ? 'any' : null;
  return route.scope === 'public' ? 'listed' : null;
}

/** A preflight carries no key, so that it is answered by the route: every origin may ask, and the key then decides. */
export function preflight(routes: readonly Route[]): RequestHandler {
  const open = routes.filter((route) => pagesOf(route) !== null);
  const methods = open.map(({ method }) => method.toUpperCase()).join(', ');
  return (req, res, next) => {
    const { origin } = req.headers;
    if (req.method === 'OPTIONS' && origin !== undefined && open.length > 0) {
      res.setHeader('Access-Control-Allow-Origin', origin);
      res.setHeader('Access-Control-Allow-Methods', methods);
      res.setHeader('Access-Control-Allow-Headers', REQUEST_HEADERS);
      res.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS);
      res.vary('Origin');
    }
    next();
  };
}

/** The headers of an answer for which no key is needed. */
export function letPagesRead(route: Route, req: Request, res: Response): void {
  const pages = pagesOf(route);
  if (pages === 'listed') res.vary('Origin');
  if (pages === 'any' && req.headers.origin !== undefined) allow(res, '*');
}

/**
 * Whether the page that sends this may use the key. Apps and services send no `Origin`; our own pages (`/docs`) need no leave.
 *
 * @throws Problem 403 where the key is publishable and does not name the page's origin.
 */
export function requireOrigin(
  { access, allowedOrigins = [] }: Caller,
  route: Route,
  req: Request,
  res: Response,
): void {
  const { origin, host } = req.headers;
  if (origin === undefined || access === 'secret') return;
  if (allowedOrigins.includes(origin)) {
    if (pagesOf(route) === 'listed') allow(res, origin);
    return;
  }
  if (isOwn(origin, host)) return;
  throw new Problem(
    403,
    'origin-not-allowed',
    `Pages of ${origin.slice(0, ORIGIN_CHARACTERS_MAX)} may not use this key: it is not among the key's allowed_origins.`,
  );
}

const isOwn = (origin: string, host: string | undefined): boolean =>
  URL.canParse(origin) && new URL(origin).host === host;

/** A page of another site asks. Of a WebSocket no browser asks first whether it may, and it lets each page read. */
export const isForeignPage = ({ headers: { origin, host } }: IncomingMessage): boolean =>
  origin !== undefined && !isOwn(origin, host);

/** As much of what was sent as an answer repeats. */
const ORIGIN_CHARACTERS_MAX = 200;

function allow(res: Response, origin: string): void {
  res.setHeader('Access-Control-Allow-Origin', origin);
  res.setHeader('Access-Control-Expose-Headers', ANSWER_HEADERS);
}
