import { type Request, type RequestHandler, type Response, Router } from 'express';
import {
  boardRules,
  type Rule,
  type RouteRules,
  type SessionRule,
} from '../../domain/staff/access/route-rules.ts';
import { otherMethods, unknownPath } from '../http/express.ts';
import { Problem } from '../http/problem.ts';
import {
  type Guarding,
  refuseForeign,
  requireAnySession,
  requirePendingSession,
  requireRole,
  requireSession,
  SUBJECT_MAX,
} from './guard.ts';
import { sessionOf } from './session.ts';

type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete';

/**
 * Stands before every page that the board answers, and behind the staff's door, whose routes carry their rules: who asks, whether the board's own page sent it, whether their role may.
 * A request for which no rule stands is refused.
 *
 * @param rules matched by a router of Express' own, so that no spelling of a path is one route to the table and another to the app.
 */
export function enforcePolicy(parts: Guarding, rules: RouteRules = boardRules): RequestHandler {
  const table = Router();
  for (const [route, rule] of Object.entries(rules)) {
    const [method = '', path = ''] = route.split(' ');
    table[method.toLowerCase() as Verb](path, ...demands(rule, parts), letIn);
  }
  // What Bull Board would do at its own paths is refused below, with a row that says who asked.
  table.use(otherMethods(Object.keys(rules).filter((route) => !route.includes(' /api/'))));
  // A program that mistypes a path is not sent to the login page. Who they are does not matter: `/staff/openapi.json` lists all there is.
  table.use(['/staff', '/finance'], unknownPath);
  table.use(requireSession(parts), refuseForeign(parts), refuse(parts));
  return (req, res, next) => table(req, res, next);
}

const letIn: RequestHandler = (_req, _res, next) => next('router');

const asking = {
  full: requireSession,
  'pending-2fa': requirePendingSession,
  either: requireAnySession,
} satisfies Record<SessionRule['extent'], unknown>;

function demands(rule: Rule, parts: Guarding): RequestHandler[] {
  switch (rule.by) {
    case 'anyone':
      return [];
    case 'session':
      return [asking[rule.extent](parts), refuseForeign(parts)];
    case 'staff':
      return [
        requireSession(parts),
        refuseForeign(parts),
        async (req, res, next) => {
          await requireRole(res, rule.action, subjectOf(req), parts);
          next();
        },
      ];
    case 'key':
    case 'person':
    case 'proof':
      throw new Error(`the board cannot ask for ${rule.by}`);
  }
}

/** What the audit row is about: the id in the path, written as it stood there, or the path. */
function subjectOf(req: Request): string {
  const last = Object.values(req.params).at(-1);
  return typeof last === 'string' ? encodeURIComponent(last) : `${req.method} ${req.path}`;
}

const PLAIN_PAGE = /^\/ops(\/[\w-]+)+$/;

/** Whatever Bull Board could do besides, and what nobody has thought of: refused to every role, with a row that says who asked. */
function refuse({ audit }: Guarding): RequestHandler {
  return async (req: Request, res: Response) => {
    // A page of ours that does not exist is a slip of the keyboard; an odd spelling of one that does is not.
    if ((req.method === 'GET' || req.method === 'HEAD') && PLAIN_PAGE.test(req.path))
      throw new Problem(404, 'not-found', 'No such page. /ops leads to all of them.');
    const subject = `${req.method} ${req.path}`.slice(0, SUBJECT_MAX);
    const detail = { outcome: 'refused', reason: 'board-forbids' };
    await audit.write({ by: sessionOf(res).staff, action: 'board.refused', subject, detail });
    throw new Problem(
      403,
      'board-forbids',
      'Nobody may do this. Queues take retry, promote, remove, pause and resume; many jobs at once: /ops/failures.',
    );
  };
}
