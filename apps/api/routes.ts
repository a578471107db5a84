import type { Route } from './route.ts';

/** What the routes ask of the world. */
export interface ApiPorts {}

/** The one list of routes that ask for a key: the app, `/openapi.json` and their tests derive from it. */
export function apiRoutes(_ports: ApiPorts): Route[] {
  return [];
}
