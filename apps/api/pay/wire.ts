import { feeRateOf } from '../../../domain/pay/payout/fee.ts';
import { eitherBinding } from '../../../domain/pay/link/person-bindings.ts';
import { destinationSecrets } from '../../../infra/pay/destination-secrets.ts';
import { dispatchLook } from '../../../infra/postgres/pay/dispatch/look.ts';
import { payoutLinks } from '../../../infra/postgres/pay/list/links.ts';
import { moneyBookAtStart } from '../../../infra/postgres/pay/money-project.ts';
import { customerPayouts } from '../../../infra/postgres/pay/payout/customer-payouts.ts';
import { destinationStore } from '../../../infra/postgres/pay/payout/destinations.ts';
import { personBindings } from '../../../infra/postgres/pay/payout/person-bindings.ts';
import { withdrawals } from '../../../infra/postgres/pay/payout/withdrawals.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import { multicardFromConfig } from '../../../infra/providers/pay/from-config.ts';
import { wakeEntry } from '../../../infra/queue/entries.ts';
import type { Route } from '../../http/route.ts';
import type { Offers, Wired } from '../wire.ts';
import { type CardDeps, cardRoutes } from './cards.routes.ts';
import { type MoneyDeps, moneyRoutes } from './money.routes.ts';
import { railWebhooks } from './rail-webhooks.routes.ts';
import { payoutLinkPages } from './payout-links.routes.ts';
import { type PayoutDeps, payoutRoutes } from './payouts.routes.ts';
import { type WithdrawDeps, withdrawRoutes } from './withdraw.routes.ts';

/** What people do with their money, and customers with theirs. */
export const payContextRoutes = (deps: WithdrawDeps & MoneyDeps & PayoutDeps & CardDeps): Route[] => [
  ...withdrawRoutes(deps),
  ...moneyRoutes(deps),
  ...cardRoutes(deps),
  ...payoutRoutes(deps),
];

/** Earners are people of the project whose book it is: an api without it would refuse each of them. */
export async function wirePay(platform: ApiPlatform, { codes, earned }: Offers): Promise<Wired> {
  const { config, pools, clock, counter, hash, encryption } = platform;
  const book = await moneyBookAtStart(pools.hot, config);
  const destinations = destinationStore({
    book,
    secrets: destinationSecrets(hash, encryption),
  });
  const bindings = personBindings({ pool: pools.hot, book, destinations });
  const rail = await multicardFromConfig(config, clock);
  const pages = payoutLinkPages({
    links: eitherBinding(payoutLinks(pools.hot, destinations), bindings),
    rail,
    publicUrl: config.PUBLIC_URL,
    counter,
    now: clock,
    proxies: config.TRUST_PROXY,
  });
  const routes = payContextRoutes({
    book,
    withdrawals: withdrawals(pools.hot, book),
    // Without traffic nobody earns.
    earned: earned ?? (() => Promise.resolve({ pending: 0n, review: 0n })),
    fee: feeRateOf(config.WITHDRAWAL_FEE),
    approvals: codes
      ? {
          ask: (order) => codes.moneyApprovals.ask(order),
          notSent: (refusal) => codes.problems.notSent(refusal),
        }
      : null,
    payouts: customerPayouts(pools.hot, book),
    bindings,
    cardRail: rail,
    publicUrl: config.PUBLIC_URL,
  });
  return { routes, routers: [pages, webhooksOf(platform, rail)] };
}

/** What the rail tells of payments: each is only a reason to look. */
const webhooksOf = (
  { config, pools, counter, queues, log }: ApiPlatform,
  rail: Parameters<typeof railWebhooks>[0]['rail'],
) =>
  railWebhooks({
    rail,
    look: dispatchLook(pools.hot),
    wake: (jobId) =>
      void wakeEntry(queues, 'payout', jobId).catch((err: unknown) =>
        log.warn({ err }, 'a queue entry was not woken'),
      ),
    counter,
    proxies: config.TRUST_PROXY,
  });
