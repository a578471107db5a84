import { payRoutes } from '../../apps/board/pay/wire.ts';
import { staffPasskeyRoutes } from '../../apps/board/staff-passkeys.routes.ts';
import { staffProofRoutes } from '../../apps/board/staff-proofs.routes.ts';
import { staffSessionRoutes } from '../../apps/board/staff-sessions.routes.ts';
import type { DoorRoute } from '../../apps/http/route.ts';

/** Routes are values: nothing is asked of the ports until a request comes. */
const ports = new Proxy({}, { get: (_named, _name, self: unknown) => self }) as never;

/** Every route of the staff's door. `policy.test.ts` holds them to what the running board has. */
export const boardRoutes: readonly DoorRoute[] = [
  staffSessionRoutes,
  staffProofRoutes,
  staffPasskeyRoutes,
  payRoutes,
].flatMap((routesOf: (ports: never) => DoorRoute[]) => routesOf(ports));
