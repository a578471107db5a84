import express, { type Express, type RequestHandler, type Router } from 'express';
import { begin, otherMethods, problems, unknownPath } from './express.ts';
import { apiRules } from '../../domain/staff/access/route-rules.ts';
import { preflight } from './cors.ts';
import { mountRoutes } from './mount.ts';
import { type Serving, serveRoute } from './serve-route.ts';
import { serveStaffRoute, type StaffServing } from './serve-staff-route.ts';
import type { Route, StaffRoute } from './route.ts';

export interface AppParts extends Serving {
  /** Who the staff are, for the routes that ask for a session of theirs; null where no route does. */
  readonly staff: Pick<StaffServing, 'sessions' | 'audit'> | null;
  /** Routes that ask for an API key. */
  readonly routes: readonly Route[];
  /** What answers without one: health, documents, providers' callbacks. */
  readonly routers: readonly Router[];
}

/** The intake, without listening. */
export function createApp({ routes, routers, staff, ...serving }: AppParts): Express {
  // Our answers are never the same twice, so that a hash of each (the ETag) would be work for nothing.
  const app = express().disable('x-powered-by').disable('etag').set('trust proxy', serving.proxies);
  app.use(begin);
  mountRoutes(
    app,
    routes,
    (route) => (route.by === 'staff' ? serveAdmin(route, staff, serving) : serveRoute(route, serving)),
    (methods) => [preflight(methods)],
  );
  for (const router of routers) app.use(router);
  return app.use(otherMethods(Object.keys(apiRules)), unknownPath).use(problems(serving)) as Express;
}

/** @throws Error where nobody said who the staff are. */
function serveAdmin(route: StaffRoute, staff: AppParts['staff'], serving: Serving): RequestHandler {
  if (staff === null) throw new Error(`${route.path} asks for staff, and nobody knows them here`);
  return serveStaffRoute(route, { ...serving, ...staff });
}
