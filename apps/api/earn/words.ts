import type { Route } from '../../http/route.ts';
import { type NewsDeps, newsRoutes } from './news/news.routes.ts';
import { type StaffNewsDeps, staffNewsRoutes } from './news/staff.routes.ts';
import { type PromoDeps, promoRoutes } from './promo/promo.routes.ts';
import { type StaffPromoDeps, staffPromoRoutes } from './promo/staff.routes.ts';
import { type StaffSupportDeps, staffSupportRoutes } from './support/staff.routes.ts';
import { type SupportDeps, supportRoutes } from './support/support.routes.ts';

export type WordsDeps = SupportDeps &
  StaffSupportDeps &
  NewsDeps &
  StaffNewsDeps &
  PromoDeps &
  StaffPromoDeps;

/** Support, news and promo codes. `/api/news/promo` stands before `/api/news/{id}`, which would take it for an id. */
export const wordsRoutes = (deps: WordsDeps): Route[] => [
  ...supportRoutes(deps),
  ...staffSupportRoutes(deps),
  ...promoRoutes(deps),
  ...staffPromoRoutes(deps),
  ...newsRoutes(deps),
  ...staffNewsRoutes(deps),
];
