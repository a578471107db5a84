import { earnContextRoutes } from '../../apps/api/earn/wire.ts';
import { identityRoutes } from '../../apps/api/identity/wire.ts';
import { messageContextRoutes } from '../../apps/api/message/wire.ts';
import { payContextRoutes } from '../../apps/api/pay/wire.ts';
import { projectContextRoutes } from '../../apps/api/project/wire.ts';
import { verifyRoutes } from '../../apps/api/verify/wire.ts';
import { webhookRoutes } from '../../apps/api/webhook/webhooks.routes.ts';
import { eventTypes } from '../../domain/events.ts';
import type { Route } from '../../apps/http/route.ts';

/** Routes are values: nothing is asked of the ports until a request comes, but for the names of events, which a body lists. */
const ports = new Proxy(
  { told: eventTypes },
  { get: (named, name, self: unknown) => (name === 'told' ? named.told : self) },
) as never;

/** Every route of every context, in no order that matters. `policy.test.ts` holds them to what the running api has. */
export const apiRoutes: readonly Route[] = [
  verifyRoutes,
  identityRoutes,
  messageContextRoutes,
  payContextRoutes,
  earnContextRoutes,
  webhookRoutes,
  projectContextRoutes,
].flatMap((routesOf: (ports: never) => Route[]) => routesOf(ports));
