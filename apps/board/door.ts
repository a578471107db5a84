import { Router } from 'express';
import type { AuditLog } from '../../domain/staff/audit.ts';
import type { StaffSessions } from '../../domain/staff/session.ts';
import { mountRoutes } from '../http/mount.ts';
import type { DoorRoute } from '../http/route.ts';
import { serveStaffRoute } from '../http/serve-staff-route.ts';
import type { ServingAny } from '../http/serve-route.ts';

export interface DoorParts extends ServingAny {
  readonly sessions: StaffSessions;
  readonly audit: AuditLog;
  readonly routes: readonly DoorRoute[];
}

/** Elsewhere are the board's pages and Bull Board, whose rules stand in a table. */
const DOOR_PATH = /^\/(staff|finance)\/[a-z0-9{}/-]+$/i;

/**
 * The routes of the staff's door, each with the rule that its own value carries: one path cannot mean one thing to its rule and another
 * to the app.
 *
 * @throws Error where a route would stand among the board's pages.
 */
export function doorRoutes({ routes, ...serving }: DoorParts): Router {
  const strange = routes.find(({ path }) => !DOOR_PATH.test(path));
  if (strange) throw new Error(`${strange.path} is not at /staff/… or /finance/…`);
  const router = Router();
  mountRoutes(router, routes, (route) => serveStaffRoute(route, serving));
  return router;
}
