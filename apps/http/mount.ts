import { type RequestHandler, type Router } from 'express';
import { wrongMethod } from './express.ts';
import type { AnyRoute } from './route.ts';

/**
 * Gives each route its place in Express, and each of their paths an answer to every other method.
 *
 * @param before stands before that answer, such as a preflight.
 */
export function mountRoutes<Some extends AnyRoute>(
  on: Pick<Router, 'route'>,
  routes: readonly Some[],
  serve: (route: Some) => RequestHandler,
  before: (methods: readonly Some[]) => readonly RequestHandler[] = () => [],
): void {
  for (const [path, methods] of Map.groupBy(routes, (route) => route.path)) {
    const entry = on.route(expressPath(path));
    for (const route of methods) entry[route.method](serve(route));
    entry.all(...before(methods), wrongMethod(methods.map(({ method }) => method.toUpperCase())));
  }
}

/** `/otp/{id}` is `/otp/:id` to Express. */
const expressPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1');
