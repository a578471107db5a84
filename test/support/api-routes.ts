import { identityRoutes } from '../../apps/api/identity/wire.ts';
import { messageContextRoutes } from '../../apps/api/message/wire.ts';
import { projectContextRoutes } from '../../apps/api/project/wire.ts';
import { verifyRoutes } from '../../apps/api/verify/wire.ts';
import { webhookRoutes } from '../../apps/api/webhook/webhooks.routes.ts';
import type { Route } from '../../apps/http/route.ts';

/** Routes are values: nothing is asked of the ports until a request comes. */
const ports = new Proxy({}, { get: (_ports, _name, self: unknown) => self }) as never;

/** Every route of every context, in no order that matters. `policy.test.ts` holds them to what the running api has. */
export const apiRoutes: readonly Route[] = [
  verifyRoutes,
  identityRoutes,
  messageContextRoutes,
  webhookRoutes,
  projectContextRoutes,
].flatMap((routesOf: (ports: never) => Route[]) => routesOf(ports));
