import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from './policy/ask.ts';
import { noId } from './policy/fixture.ts';
import { makeRoles, type Role, verdict } from './policy/roles.ts';
import { fixtures, rules } from './policy/rules.ts';
import { send } from './policy/walk.ts';
import { type App, apps, newAddress, openWorld, type World } from './policy/world.ts';

/** Every path that a process serves, as its own `main.ts` wires it, asked with every method. */

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

let world: World;
let roles: readonly Role[];
beforeAll(async () => {
  world = await openWorld();
  ({ roles } = await makeRoles(world));
});
afterAll(() => world?.stop());

/** The methods of each path; `/*file` is any file. */
function pathsOf(app: App): ReadonlyMap<string, ReadonlySet<string>> {
  const routes = world.routes[app]
    .map((route) => route.split(' ') as [string, string])
    .filter(([method]) => method !== 'ALL' && method !== 'USE');
  const grouped = Map.groupBy(routes, ([, path]) => path);
  return new Map([...grouped].map(([path, of]) => [path, new Set(of.map(([method]) => method))]));
}

const filled = (path: string) => path.replaceAll(/[:*]\w+/g, 'any');
const allowedBy = (served: ReadonlySet<string>) =>
  [...served, ...(served.has('GET') ? ['HEAD'] : []), 'OPTIONS'].toSorted();
/** What Bull Board could do besides is refused to everybody and written into the audit: `policy.test.ts` asks for it. */
const isBullBoards = (app: App, path: string) => app === 'board' && path.startsWith('/api/');

describe('a method that a path does not take is 405, and says which it takes', () => {
  test.each(apps)('of the %s', async (app) => {
    const faults: unknown[] = [];
    let asked = 0;
    for (const [path, served] of pathsOf(app)) {
      if (isBullBoards(app, path)) continue;
      const allowed = allowedBy(served);
      for (const method of METHODS.filter((one) => one === 'OPTIONS' || !allowed.includes(one))) {
        asked += 1;
        const { status, headers } = await fetch(world.urls[app] + filled(path), { method });
        // Express answers some OPTIONS itself, and does not name that method.
        const told = new Set([...(headers.get('allow') ?? '').split(', '), 'OPTIONS']);
        const isRight = method === 'OPTIONS' ? status < 300 : status === 405;
        if (!isRight || [...told].toSorted().join() !== allowed.join())
          faults.push([method, path, status, ...told]);
      }
    }
    expect(faults).toEqual([]);
    expect(asked).toBeGreaterThan(app === 'bot' ? 5 : 50);
  });

  test('but for /metrics, which is not there for who comes through a proxy', async () => {
    const { status } = await fetch(`${world.urls.api}/metrics`, {
      method: 'POST',
      headers: { 'X-Forwarded-For': newAddress() },
    });
    expect(status).toBe(404);
  });
});

/** Of the connection, or of this one answer. */
const fleeting = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'date',
  'x-request-id',
  'set-cookie',
]);
/** Their answers are longer or shorter each time (keys by when they were last used): only that a length is told is the same. */
const changing = new Set(['GET /metrics', 'GET /api/redis/stats', 'GET /projects/:id/keys']);

function headersOf(route: string, headers: Answer['headers']): Record<string, string> {
  const kept = headers.filter(([name]) => !fleeting.has(name));
  return Object.fromEntries(
    kept.flatMap(([name, value]): [string, string][] => {
      if (name === 'ratelimit') return [[name, value.replaceAll(/=\d+/g, '=')]];
      if (!changing.has(route)) return [[name, value]];
      return name === 'etag' ? [] : [[name, name === 'content-length' ? 'some' : value]];
    }),
  );
}

describe('HEAD is answered as GET is, without a body', () => {
  test.each(apps)('on every GET route of the %s', async (app) => {
    const how = { world, url: world.urls[app] };
    // But of a WebSocket, which is no answer.
    const gets = Object.entries(rules[app]).filter(
      ([route]) => route.startsWith('GET ') && !fixtures[app][route]?.isSocket,
    );
    for (const [route, rule] of gets) {
      const fixture = fixtures[app][route];
      const role = roles.find(({ who }) => verdict(rule, who, { app, route }) === 'admitted');
      if (!fixture || !role) throw new Error(`nobody can ask ${route}`);
      const id = (await fixture.make?.(world, role.owner)) ?? noId();
      // One session for both: a list of sessions is the same then.
      const shown = await role.enter();
      const asking = { how, route, fixture, role: { ...role, enter: async () => shown } };
      const get = await send(asking, id);
      const head = await send(asking, id, 'HEAD');
      const { status, headers } = get;
      expect([route, head.status, headersOf(route, head.headers), head.text]).toEqual([
        route,
        status,
        headersOf(route, headers),
        '',
      ]);
    }
    expect(gets.length).toBeGreaterThan(0);
  });
});
