import type { Route } from '../../http/route.ts';
import { type DashboardDeps, dashboardRoutes } from './dashboard.routes.ts';
import { type PeopleDeps, peopleAdminRoutes } from './people-admin.routes.ts';
import { type ProfileDeps, profileRoutes } from './profile.routes.ts';
import { type StatsDeps, statsRoutes } from './stats.routes.ts';
import { type SummaryDeps, summaryRoutes } from './summary.routes.ts';

export type PeopleRouteDeps = DashboardDeps & StatsDeps & ProfileDeps & SummaryDeps & PeopleDeps;

/** What a person sees of themselves and of what they earn, and what staff see of people. */
export const peopleRoutes = (deps: PeopleRouteDeps): Route[] => [
  ...dashboardRoutes(deps),
  ...statsRoutes(deps),
  ...profileRoutes(deps),
  ...summaryRoutes(deps),
  ...peopleAdminRoutes(deps),
];
