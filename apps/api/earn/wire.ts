import { earnedOf } from '../../../infra/postgres/earn/day/earned.ts';
import { gateways } from '../../../infra/postgres/earn/traffic/gateways.ts';
import { prices } from '../../../infra/postgres/earn/price/prices.ts';
import { sessionMeter } from '../../../infra/postgres/earn/traffic/meter.ts';
import { trafficSessions } from '../../../infra/postgres/earn/traffic/sessions.ts';
import { moneyBookAtStart } from '../../../infra/postgres/pay/money-project.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import type { Route } from '../../http/route.ts';
import type { Wired } from '../wire.ts';
import { type GatewayDeps, gatewayRoutes } from './gateway.routes.ts';
import { type PriceDeps, priceRoutes } from './price.routes.ts';
import { type TrafficDeps, trafficRoutes } from './traffic.routes.ts';

/** What people who share their traffic do, the gateways that carry it, and who sets its price. */
export const earnContextRoutes = (deps: TrafficDeps & GatewayDeps & PriceDeps): Route[] => [
  ...trafficRoutes(deps),
  ...gatewayRoutes(deps),
  ...priceRoutes(deps),
];

export async function wireEarn({ config, pools }: ApiPlatform): Promise<Wired> {
  const book = await moneyBookAtStart(pools.hot, config);
  const meter = sessionMeter(pools.hot, book);
  return {
    offers: { earned: earnedOf(pools.read, book) },
    routes: earnContextRoutes({
      sessions: trafficSessions({ pool: pools.hot, book, meter }),
      gateways: gateways(pools.hot),
      prices: prices(pools.hot, book),
    }),
  };
}
