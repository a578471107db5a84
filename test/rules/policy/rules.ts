import { apiRoutes } from '../../support/api-routes.ts';
import { boardRoutes } from '../../support/board-routes.ts';
import { apiRules, boardRules, botRules } from '../../../domain/staff/access/route-rules.ts';
import { apiFixtures, botFixtures } from './api-fixtures.ts';
import { boardFixtures, forbidden } from './board-fixtures.ts';
import type { Fixture } from './fixture.ts';
import type { AnyRule } from './walk.ts';
import type { App } from './world.ts';

export const routes = apiRoutes;
/** As Express writes it: `/otp/{id}` is `/otp/:id`, and a slash at the end is none. */
export const expressName = ({ method, path }: { method: string; path: string }) =>
  `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1').replace(/(?<=.)\/$/, '')}`;
export type Rules = Readonly<Record<string, AnyRule>>;
/** What each app's routes ask for. */
export const rules: Readonly<Record<App, Rules>> = {
  api: { ...apiRules, ...Object.fromEntries(routes.map((route) => [expressName(route), route])) },
  board: {
    ...boardRules,
    ...Object.fromEntries(boardRoutes.map((route) => [expressName(route), route])),
    ...Object.fromEntries(forbidden.map((route) => [route, { by: 'nobody' }])),
  },
  bot: botRules,
};
/** How they are asked. */
export const fixtures: Readonly<Record<App, Readonly<Record<string, Fixture>>>> = {
  api: apiFixtures,
  board: boardFixtures,
  bot: botFixtures,
};
