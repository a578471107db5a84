import express, { type Express, type RequestHandler, type Router } from 'express';
import { begin, otherMethods, problems, unknownPath, wrongMethod } from './express.ts';
import { apiRules } from '../../domain/staff/access/route-rules.ts';
import { preflight } from './cors.ts';
import { type Serving, serveRoute } from './serve-route.ts';
import type { Route } from './route.ts';

export interface AppParts extends Serving {
  /** Routes that ask for an API key. */
  readonly routes: readonly Route[];
  /** What answers without one: health, documents, providers' callbacks. */
  readonly routers: readonly Router[];
}

/** The intake, without listening. */
export function createApp({ routes, routers, ...serving }: AppParts): Express {
  // Our answers are never the same twice, so that a hash of each (the ETag) would be work for nothing.
  const app = express().disable('x-powered-by').disable('etag').set('trust proxy', serving.proxies);
  app.use(begin);
  for (const [path, methods] of byPath(routes)) {
    const entry = app.route(expressPath(path));
    for (const route of methods) entry[route.method](serveRoute(route, serving));
    entry.all(
      preflight(methods),
      wrongMethod(methods.map(({ method }) => method.toUpperCase())) as RequestHandler,
    );
  }
  for (const router of routers) app.use(router);
  return app.use(otherMethods(Object.keys(apiRules)), unknownPath).use(problems(serving)) as Express;
}

function byPath(routes: readonly Route[]): Map<string, Route[]> {
  return Map.groupBy(routes, ({ path }) => path);
}

/** `/otp/{id}` is `/otp/:id` to Express. */
const expressPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1');
