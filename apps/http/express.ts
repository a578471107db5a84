import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type ErrorRequestHandler, type RequestHandler, type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { normalAddress } from '../../domain/shared/ip-address.ts';
import { asProblem, type NextSteps, sendProblem } from './answer.ts';
import { type Limited, noteLimited } from './limited.ts';
import { Problem } from './problem.ts';

/** What may come in as `X-Request-Id`: it is written into logs and rows, so it is short and plain. */
const safeRequestId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Sent with every answer; pages (`/docs`, the board) widen the policy for themselves. */
const guardHeaders = new Map([
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cache-Control', 'no-store'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
]);

/** Gives each request its id, which the answer repeats, and the headers that every answer has. */
export const begin: RequestHandler = (req, res, next) => {
  const given = req.headers['x-request-id'];
  const id = typeof given === 'string' && safeRequestId.test(given) ? given : randomUUID();
  res.locals['requestId'] = id;
  res.setHeader('X-Request-Id', id);
  res.setHeaders(guardHeaders);
  next();
};

/** The id that `begin` gave. */
export function requestIdOf(res: Response): string {
  return String(res.locals['requestId']);
}

export const unknownPath: RequestHandler = (req) => {
  throw new Problem(404, 'not-found', `No such route: ${req.method} ${req.baseUrl}${req.path}.`);
};

/** For a path whose other methods are routes. OPTIONS is answered with what there is. */
export function wrongMethod(allowed: readonly string[]): RequestHandler {
  const allow = [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return (req, res) => {
    if (req.method !== 'OPTIONS')
      throw new Problem(405, 'method-not-allowed', `${req.method} is not for this path.`, {
        headers: { Allow: allow },
      });
    res.setHeader('Allow', allow).status(204).end();
  };
}

/** `wrongMethod` for the paths of routes such as `GET /docs`. It goes behind them: a method that they take never gets here. */
export function otherMethods(routes: readonly string[]): Router {
  const router = Router();
  const split = routes.map((route) => route.split(' ') as [method: string, path: string]);
  for (const [path, of] of Map.groupBy(split, ([, path]) => path)) {
    const methods = of.map(([method]) => method);
    const refuse = wrongMethod(methods);
    // Of a product that is off, a route is not served at all: its own method is no wrong one.
    const isOwn = (method: string) => methods.includes(method === 'HEAD' ? 'GET' : method);
    router.all(path, (req, res, next) => (isOwn(req.method) ? next() : refuse(req, res, next)));
  }
  return router;
}

/** Where answers are told. */
export interface AnswerLog {
  readonly log: Logger;
  /** Counts each 429, of which the log tells a few; left out by an app without `/metrics`. */
  readonly countLimited?: (limited: Omit<Limited, 'request_id'>) => void;
  /** Where those of the catalogue are for another process's callers. */
  readonly nextSteps?: NextSteps;
}

/** The last of an app's handlers: each error becomes problem+json, and a fault of ours a log line. */
export function problems(to: AnswerLog): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const problem = asProblem(routerFault(error));
    logAnswer(to, req, requestIdOf(res), problem.status, error);
    sendProblem(res, problem, to.nextSteps);
  };
}

/**
 * One line for what a person must look at: faults of ours with their error, refusals for too much traffic as warnings.
 * All else is `debug`, because at ten thousand requests a second a line each costs more than the request.
 */
export function logAnswer(
  { log, countLimited }: AnswerLog,
  req: Request,
  requestId: string,
  status: number,
  error?: unknown,
): void {
  if (status >= 500)
    log.error(
      { request_id: requestId, method: req.method, path: req.path, status, err: error },
      'request failed',
    );
  else if (status === 429) {
    const limited = { method: req.method, route: routeOf(req), reason: limitOf(error) };
    countLimited?.(limited);
    noteLimited(log, { request_id: requestId, ...limited });
  } else if (log.isLevelEnabled('debug'))
    log.debug({ request_id: requestId, method: req.method, path: req.path, status }, 'request');
}

/** The route's own path, as OpenAPI writes it; what no route has answered is one sort. */
function routeOf({ baseUrl, route }: Request): string {
  const path = (route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? baseUrl + path.replaceAll(/:(\w+)/g, '{$1}') : 'none';
}

/** The limit that was met, or the type of the problem where none has a name. */
export function limitOf(error: unknown): string {
  const { type, extra } = asProblem(error);
  const limits = extra['violated-policies'];
  return Array.isArray(limits) ? limits.join(' ') : type;
}

/**
 * Where a request comes from. Behind `proxies` of ours it is what the outermost of them saw, which stands as many places from the
 * end of `X-Forwarded-For`; what was there before is the caller's own word. Where a proxy wrote no address (`unknown`), the
 * next one nearer to us counts. Empty where the connection has gone.
 */
export function callerAddress(req: IncomingMessage, proxies: number): string {
  const forwarded = proxies === 0 ? [] : [req.headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const hops = [...forwarded.slice(-proxies), req.socket.remoteAddress ?? ''];
  for (const hop of hops) {
    const address = normalAddress(hop);
    if (address !== null) return address;
  }
  return '';
}

/** A path that can't be decoded is the caller's fault, though the router throws it as any error. */
function routerFault(error: unknown): unknown {
  return error instanceof URIError
    ? new Problem(400, 'invalid-request', 'The path is not valid percent-encoding.')
    : error;
}

/** Bytes of a header that may come once, or undefined. */
export function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
