import express, { type Express, type Router } from 'express';
import { begin, otherMethods, problems, unknownPath } from './express.ts';
import { apiRules } from '../../domain/staff/access/route-rules.ts';
import { preflight } from './cors.ts';
import { mountRoutes } from './mount.ts';
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
  mountRoutes(
    app,
    routes,
    (route) => serveRoute(route, serving),
    (methods) => [preflight(methods)],
  );
  for (const router of routers) app.use(router);
  return app.use(otherMethods(Object.keys(apiRules)), unknownPath).use(problems(serving)) as Express;
}
