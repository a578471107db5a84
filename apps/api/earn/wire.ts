import { configuredFiles } from '../../../infra/earn/address/configured.ts';
import { openAddressData } from '../../../infra/earn/address/data.ts';
import { filterAudits } from '../../../infra/postgres/earn/address/audits.ts';
import { sessionAddresses } from '../../../infra/postgres/earn/address/session-addresses.ts';
import { appeals } from '../../../infra/postgres/earn/day/appeals.ts';
import { dayReviews } from '../../../infra/postgres/earn/day/reviews.ts';
import { addressText } from '../../../domain/shared/address.ts';
import { earnedOf } from '../../../infra/postgres/earn/day/earned.ts';
import { personPromos } from '../../../infra/postgres/earn/promo/redemptions.ts';
import { staffPromos } from '../../../infra/postgres/earn/promo/promos.ts';
import { staffNews } from '../../../infra/postgres/earn/news/news.ts';
import { readNews } from '../../../infra/postgres/earn/news/read-news.ts';
import { staffSupport } from '../../../infra/postgres/earn/support/desk.ts';
import { personSupport } from '../../../infra/postgres/earn/support/requests.ts';
import type { NoteChange } from '../../../infra/postgres/earn/note-change.ts';
import { writeAudit } from '../../../infra/postgres/staff/audit.ts';
import { projectCache } from '../../../infra/postgres/project/cache.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { earnerBlocks } from '../../../infra/postgres/earn/people/blocks.ts';
import { earners } from '../../../infra/postgres/earn/people/earners.ts';
import { stats } from '../../../infra/postgres/earn/stats/stats.ts';
import { summaries } from '../../../infra/postgres/earn/stats/summary.ts';
import { withdrawals } from '../../../infra/postgres/pay/payout/withdrawals.ts';
import { gateways } from '../../../infra/postgres/earn/traffic/gateways.ts';
import { prices } from '../../../infra/postgres/earn/price/prices.ts';
import { sessionMeter } from '../../../infra/postgres/earn/traffic/meter.ts';
import { trafficSessions } from '../../../infra/postgres/earn/traffic/sessions.ts';
import { moneyBookAtStart } from '../../../infra/postgres/pay/money-project.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import { every } from '../../../infra/process/ticks.ts';
import type { Route } from '../../http/route.ts';
import { type FilterAuditDeps, filterAuditRoute } from './filter-audit.routes.ts';
import type { Offers, Wired } from '../wire.ts';
import { type GatewayDeps, gatewayRoutes } from './gateway.routes.ts';
import { type LiveDeps, liveRoutes } from './live/live.routes.ts';
import { wireLive } from './live/wire.ts';
import { type PeopleRouteDeps, peopleRoutes } from './people.ts';
import { type PriceDeps, priceRoutes } from './price.routes.ts';
import { type ReviewDeps, reviewRoutes } from './review.routes.ts';
import { type TrafficDeps, trafficRoutes } from './traffic.routes.ts';
import { type WhyDeps, whyRoutes } from './why.routes.ts';
import { type WordsDeps, wordsRoutes } from './words.ts';

/** Between two looks for addresses that wait for newer data: files are read again each minute. */
const REASSESS_MS = 60_000;

/** What people who share their traffic do, the gateways that carry it, and what staff do about both. */
export const earnContextRoutes = (
  deps: TrafficDeps &
    WhyDeps &
    GatewayDeps &
    PriceDeps &
    ReviewDeps &
    FilterAuditDeps &
    LiveDeps &
    WordsDeps &
    PeopleRouteDeps,
): Route[] => [
  ...trafficRoutes(deps),
  ...whyRoutes(deps),
  ...gatewayRoutes(deps),
  ...priceRoutes(deps),
  ...reviewRoutes(deps),
  filterAuditRoute(deps),
  ...liveRoutes(deps),
  ...wordsRoutes(deps),
  ...peopleRoutes(deps),
];

export async function wireEarn(platform: ApiPlatform, { languages }: Offers): Promise<Wired> {
  if (!languages) throw new Error('identity, which is always on, stands before earn');
  const { config, pools } = platform;
  const book = await moneyBookAtStart(pools.hot, config);
  const meter = sessionMeter(pools.hot, book);
  const earned = earnedOf(pools.read, book);
  const live = wireLive(platform, book);
  const from = await addressesOf(platform, book);
  return {
    offers: { earned },
    routes: earnContextRoutes({
      sessions: trafficSessions({ pool: pools.hot, book, meter }),
      addresses: from.addresses,
      appeals: appeals(pools.hot, book),
      gateways: gateways(pools.hot),
      prices: prices(pools.hot, book),
      reviews: dayReviews(pools.hot, book),
      audits: filterAudits(pools.read, book),
      ...live,
      ...wordsOf(pools, book),
      ...peopleOf(platform, book),
      earned,
      languages,
    }),
    endStreams: () => live.subscribers.close(),
    close: from.close,
  };
}

/** What staff do is in the audit. */
const note: NoteChange = (tx, { did, ...change }) => writeAudit(tx, { ...change, detail: { did } });

/** What the configured files say of where sessions come from. */
async function addressesOf({ config, log, pools, clock }: ApiPlatform, book: ProjectId) {
  const files = configuredFiles(config);
  if (files.length === 0)
    log.warn(
      'no data about addresses (ADDRESS_DATABASES, ADDRESS_LISTS): each is of the class unknown, and nobody is told from a data centre',
    );
  const data = await openAddressData(files, log);
  const addresses = sessionAddresses({ pool: pools.hot, book, data });
  const stopReassessing = every(log, 'reassess-addresses', async () => {
    const looked = await addresses.reassess(clock());
    if (looked > 0) log.info({ addresses: looked }, 'addresses were assessed with newer data');
    return REASSESS_MS;
  });
  const close = async () => {
    data.close();
    await stopReassessing();
  };
  return { addresses, close };
}

/** What people are told, and what they ask. */
function wordsOf({ hot, read }: ApiPlatform['pools'], book: ProjectId): WordsDeps {
  const project = projectCache(read);
  return {
    support: personSupport(hot, book),
    staffSupport: staffSupport(hot, book, note),
    news: readNews(read, book),
    staffNews: staffNews(hot, book, note),
    newsCategories: async () => (await project(book)).settings.message_categories.map(({ name }) => name),
    promos: personPromos(hot, book),
    staffPromos: staffPromos(hot, book),
  };
}

/** What is read of people, and blocks. */
const peopleOf = ({ pools, hash }: ApiPlatform, book: ProjectId) => ({
  stats: stats(pools.read, book),
  summaries: summaries(pools.read, book),
  earners: earners({
    pool: pools.read,
    book,
    addressHash: (phone) => hash('address', addressText({ phone }, 'live')),
  }),
  blocks: earnerBlocks(pools.hot, book, note),
  withdrawals: withdrawals(pools.hot, book),
});
