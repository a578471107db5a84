import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../../apps/http/route.ts';
import { apiRoutes as routes } from '../support/api-routes.ts';
import { ask } from './policy/ask.ts';
import { apiFixtures } from './policy/api-fixtures.ts';
import { noId } from './policy/fixture.ts';
import { makeRoles, type Role, verdict } from './policy/roles.ts';
import { newAddress, openWorld, type World } from './policy/world.ts';
import { fieldsOf, nameOf, wrongValues } from './wrong-values.ts';

/**
 * Whatever a caller puts in a field, or in two fields at once, is the caller's fault: 4xx with words, and never 5xx. A rule over several
 * fields must not look at one whose own check has failed.
 */

const withFields = routes.filter(({ body, query }) => fieldsOf(body).length + fieldsOf(query).length > 0);
const tooMany: readonly string[] = ['x', 'y'];

describe('over HTTP', { timeout: 120_000 }, () => {
  let world: World;
  let roles: readonly Role[];
  beforeAll(async () => {
    world = await openWorld();
    ({ roles } = await makeRoles(world));
  });
  afterAll(() => world?.stop());

  async function send(route: Route, role: Role, change: { body?: object; query?: URLSearchParams }) {
    const { path, body, headers } = await apiFixtures[nameOf(route)]!.ask(noId(), world, role.owner);
    const wrong = change.body && typeof body === 'object' ? { ...body, ...change.body } : change.body;
    const at = path.split('?')[0] ?? '';
    return ask(`${world.urls.api}${change.query ? `${at}?${change.query.toString()}` : path}`, {
      method: route.method.toUpperCase(),
      headers: {
        'X-Forwarded-For': newAddress(),
        'Content-Type': 'application/json',
        ...(await role.enter()),
        ...headers,
      },
      body: route.method === 'get' ? undefined : JSON.stringify(wrong ?? body ?? {}),
    });
  }

  test.each(withFields.map((route) => ({ name: nameOf(route), route })))(
    '$name: a wrong value is never our fault, and is told in words',
    async ({ route }) => {
      const role = roles.find(
        ({ who, name }) =>
          verdict(route, who, { app: 'api', route: nameOf(route) }) === 'admitted' &&
          (route.by !== 'anyone' || name === 'nobody'),
      ) as Role;
      const changes: { body?: object; query?: URLSearchParams }[] = [
        ...fieldsOf(route.body).flatMap((field) =>
          wrongValues.map((value) => ({ body: { [field]: value } })),
        ),
        ...fieldsOf(route.query).flatMap((field) =>
          [...wrongValues.map(String), tooMany].map((value) => ({
            query: new URLSearchParams([value].flat().map((one): [string, string] => [field, one])),
          })),
        ),
      ];
      const faults = await Promise.all(
        changes.map(async (change) => {
          const { status, text } = await send(route, role, change);
          const said = JSON.stringify(change.body ?? change.query?.toString()).slice(0, 120);
          const isUnclear = /Invalid (input|ISO)|Too (big|small)|Unrecognized/.test(text);
          return status >= 500 || isUnclear ? [`${said}: ${status} ${text}`] : [];
        }),
      );
      expect(faults.flat()).toEqual([]);
    },
  );

  test.each(['/ops/jobs', '/ops/failures', '/ops/retry', '/ops/audit', '/ops/recipients', '/ops'])(
    'the board: GET %s with a wrong value in each field',
    async (path) => {
      const admin = roles.find(({ name }) => name === 'admin') as Role;
      const names = [
        'kind',
        'state',
        'project',
        'recipient',
        'reason',
        'text',
        'hours',
        'limit',
        'cursor',
        'until',
      ];
      const headers = { Accept: 'application/json', ...(await admin.enter()) };
      const queries = names.flatMap((name) =>
        wrongValues.map((value) => new URLSearchParams({ [name]: String(value) }).toString()),
      );
      const answers = await Promise.all(
        queries.map(async (query) => {
          const { status } = await ask(`${world.urls.board}${path}?${query}`, { method: 'GET', headers });
          return { query: query.slice(0, 50), status };
        }),
      );
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    },
  );
});
