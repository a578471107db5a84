import { shapeOf } from './express-routes.ts';
import type { Rules } from './rules.ts';

/** What answers every other method of a path with 405 is no route. */
export const isRoute = (route: string) => !route.startsWith('ALL ');

/** Routes without a rule, and rules without a route, a line each. */
export function gaps(found: readonly string[], table: Rules): string[] {
  const [there, known] = [new Set(found.map(shapeOf)), new Set(Object.keys(table).map(shapeOf))];
  return [
    ...found
      .filter((route) => isRoute(route) && !known.has(shapeOf(route)))
      .map((route) => `${route} has no rule`),
    ...Object.keys(table)
      .filter((route) => !there.has(shapeOf(route)))
      .map((route) => `the rule of ${route} has no route`),
  ];
}
