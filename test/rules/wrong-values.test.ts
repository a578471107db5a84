import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Route } from '../../apps/http/route.ts';
import { apiRoutes as routes } from '../support/api-routes.ts';
import { ask } from './policy/ask.ts';
import { apiFixtures } from './policy/api-fixtures.ts';
import { noId } from './policy/fixture.ts';
import { makeRoles, type Role, verdict } from './policy/roles.ts';
import { newAddress, openWorld, type World } from './policy/world.ts';

/**
 * Whatever a caller puts in a field, or in two fields at once, is the caller's fault: 4xx with words, and never 5xx. A rule over several
 * fields must not look at one whose own check has failed.
 */

const nameOf = ({ method, path }: Route) =>
  `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1').replace(/(?<=.)\/$/, '')}`;

const wrongValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  'yesterday',
  '2026-02-30T00:00:00Z',
  '2026-01-01T00:00:00',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59-23:59',
  'http://[',
  '(',
  'x'.repeat(3_000),
  [],
  [null],
  [{}],
  {},
  { a: { b: [1] } },
];

/** The fields of a body or a query: of each form of a union. */
function fieldsOf(schema: z.ZodType | undefined): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => fieldsOf(option as z.ZodType));
  if (schema instanceof z.ZodOptional) return fieldsOf(schema.unwrap() as z.ZodType);
  return [];
}

const withFields = routes.filter(({ body, query }) => fieldsOf(body).length + fieldsOf(query).length > 0);
const tooMany: readonly string[] = ['x', 'y'];

/** In place of an `expect` for each of the hundred thousand values. */
function throwsOn(schema: z.ZodType, value: object): boolean {
  try {
    schema.safeParse(value);
    return false;
  } catch {
    return true;
  }
}

describe('a schema answers, and never throws', () => {
  const schemas = routes.flatMap((route) =>
    [route.params, route.query, route.body].flatMap((schema) =>
      schema ? [{ name: nameOf(route), schema }] : [],
    ),
  );

  test.each(schemas)('$name: each field and each pair of fields', ({ schema }) => {
    const fields = fieldsOf(schema);
    const thrown: object[] = [];
    for (const [at, first] of fields.entries())
      for (const second of fields.slice(at))
        for (const one of wrongValues)
          for (const other of wrongValues) {
            const value = { [first]: one, [second]: other };
            if (throwsOn(schema, value)) thrown.push(value);
          }
    expect(thrown).toEqual([]);
  });

  test.each(schemas)('$name: no value at all, and values of other sorts', ({ schema }) => {
    for (const value of [undefined, ...wrongValues]) expect(() => schema.safeParse(value)).not.toThrow();
  });
});

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
