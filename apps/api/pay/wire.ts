import { destinationSecrets } from '../../../infra/pay/destination-secrets.ts';
import { payoutLinks } from '../../../infra/postgres/pay/list/links.ts';
import { moneyBookAtStart } from '../../../infra/postgres/pay/money-project.ts';
import { destinationStore } from '../../../infra/postgres/pay/payout/destinations.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import { multicardFromConfig } from '../../../infra/providers/pay/from-config.ts';
import type { Wired } from '../wire.ts';
import { payoutLinkPages } from './payout-links.routes.ts';

/** Earners are people of the project whose book it is: an api without it would refuse each of them. */
export async function wirePay(platform: ApiPlatform): Promise<Wired> {
  const { config, pools, clock, counter, hash, encryption } = platform;
  const book = await moneyBookAtStart(pools.hot, config);
  const secrets = destinationSecrets(hash, encryption);
  const pages = payoutLinkPages({
    links: payoutLinks(pools.hot, destinationStore({ pool: pools.hot, book, secrets })),
    rail: await multicardFromConfig(config, clock),
    publicUrl: config.PUBLIC_URL,
    counter,
    now: clock,
    proxies: config.TRUST_PROXY,
  });
  return { routes: [], routers: [pages] };
}
