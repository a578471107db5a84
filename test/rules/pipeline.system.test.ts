import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeyScope } from '../../domain/project/key.ts';
import { CALLBACKS_PER_MINUTE } from '../../domain/project/quota.ts';
import { quotaCounter } from '../../infra/limits/quota-counter.ts';
import { askWithoutBody, type RawAnswer } from '../support/raw-request.ts';
import { noId } from './policy/fixture.ts';
import { makeRoles, type Role, verdict } from './policy/roles.ts';
import { expressName, fixtures, routes, rules } from './policy/rules.ts';
import { type AnyRule, said } from './policy/walk.ts';
import { type App, apps, makeKey, makeProject, newAddress, openWorld, type World } from './policy/world.ts';

/**
 * One pipeline for api, board and bot: route, key, scope, limits, and only then the body. Every route that Express has is sent headers that
 * announce a body that waits to be asked for (`Expect: 100-continue`): whoever is refused as the first answer was refused before a byte of it
 * was read.
 */

const EARNER = 'a person in the project where they earn, proven now';
const callbacks = ['POST /callbacks/:name/:jobId/:attempt', 'POST /callbacks/:name'];
/** Under 20 s alone; over 120 s were seen beside the whole suite. */
const WALK_MS = 180_000;
const AT_ONCE = 6;
/** More than any limit that is met here. */
const ASKED_MAX = 400;
/** Whoever reads a body asks for it first with `100 Continue`, which would be the first answer here. */
const announced = { 'Content-Type': 'application/json', 'Content-Length': '100', Expect: '100-continue' };
/** Larger than any route takes. */
const tooLong = { 'Content-Length': '4000000' };

let world: World;
let roles: readonly Role[];
beforeAll(async () => {
  world = await openWorld();
  ({ roles } = await makeRoles(world));
});
afterAll(() => world?.stop());

/** Only the line and the headers of a route's request. */
async function ask(
  app: App,
  route: string,
  role: Role,
  more: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const [method = ''] = route.split(' ');
  const fixture = fixtures[app][route]!;
  const { path, headers } = await fixture.ask((fixture.nothing ?? noId)(), world, role.owner);
  const all = {
    Accept: 'application/json',
    ...(app === 'board' ? { Origin: world.urls.board } : {}),
    'X-Forwarded-For': newAddress(),
    ...headers,
    ...announced,
    ...(await role.enter()),
    ...more,
  };
  return askWithoutBody(world.urls[app], method, path, said(all));
}

async function each<T>(things: readonly T[], see: (thing: T) => Promise<void>): Promise<void> {
  const waiting = [...things];
  const worker = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await see(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** A route as Express has it, by the name of its rule. */
const rulesOf = (app: App) => Object.entries(rules[app]);
const roleNamed = (name: string) => roles.find((role) => role.name === name) as Role;

describe('before a byte of its body', { timeout: WALK_MS }, () => {
  test('every route that Express has is in this walk', () => {
    for (const app of apps) {
      const shapes = new Set(rulesOf(app).map(([route]) => route.replaceAll(/:\w+/g, ':')));
      const found = world.routes[app].filter((route) => !route.startsWith('ALL '));
      expect(found.filter((route) => !shapes.has(route.replaceAll(/:\w+/g, ':')))).toEqual([]);
    }
  });

  test.each(apps)('every route of the %s refuses every role that may not', async (app) => {
    const wrong: string[] = [];
    const pairs = rulesOf(app).flatMap(([route, rule]) =>
      roles.filter(({ isBoards }) => app === 'board' || !isBoards).map((role) => ({ route, rule, role })),
    );
    const refused = pairs.filter(
      ({ route, rule, role }) => verdict(rule, role.who, { app, route }) !== 'admitted',
    );
    await each(refused, async ({ route, rule, role }) => {
      const { status } = await ask(app, route, role);
      if (status !== verdict(rule, role.who, { app, route }))
        wrong.push(`${route} as ${role.name}: ${status}`);
    });
    expect(wrong.toSorted()).toEqual([]);
    expect(refused.length).toBeGreaterThan(app === 'bot' ? -1 : 100);
  });

  test('every route with a body refuses one that is longer than it takes', async () => {
    const wrong: string[] = [];
    const everybody = [
      roleNamed('a live key of every scope'),
      roleNamed('a person on a bound device, proven now'),
      roleNamed(EARNER),
      // Of the api's own routes of staff.
      roleNamed('admin, by bearer'),
    ];
    await each(
      routes.filter(({ body }) => body),
      async (route) => {
        const role = everybody.find(
          ({ who }) => verdict(route, who, { app: 'api', route: expressName(route) }) === 'admitted',
        ) as Role;
        const { status } = await ask('api', expressName(route), role, tooLong);
        if (status !== 413) wrong.push(`${expressName(route)}: ${status}`);
      },
    );
    expect(wrong).toEqual([]);
    const admin = roleNamed('admin');
    for (const route of [
      'POST /login',
      'POST /staff/sessions',
      'POST /ops/search',
      'POST /ops/retry',
      'POST /logout',
    ])
      expect([route, (await ask('board', route, admin, tooLong)).status]).toEqual([route, 413]);
    expect((await ask('bot', 'POST /telegram/webhook', admin, tooLong)).status).toBe(413);
    for (const route of callbacks) expect((await ask('api', route, admin, tooLong)).status).toBe(413);
  });
});

describe('before a byte of its body, above a limit', { timeout: WALK_MS }, () => {
  const by = (kind: AnyRule['by']) => routes.filter(({ by: own }) => own === kind).map(expressName);

  /** Asks as often as it takes. */
  async function exceed(app: App, route: string, role: Role, address: string): Promise<void> {
    const [method = ''] = route.split(' ');
    const { path, body } = await fixtures[app][route]!.ask(noId(), world, role.owner);
    const headers = {
      Accept: 'application/json',
      ...(app === 'board' ? { Origin: world.urls.board } : {}),
      'X-Forwarded-For': address,
      'Content-Type': 'application/json',
      ...(await role.enter()),
    };
    const request = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
    for (let asked = 0; asked < ASKED_MAX; asked += 1) {
      const answer = await fetch(world.urls[app] + path, request);
      await answer.body?.cancel();
      if (answer.status === 429) return;
    }
    throw new Error(`${route} has no limit of ${ASKED_MAX} or fewer`);
  }

  async function see(app: App, some: readonly string[], role: Role, address: string): Promise<void> {
    const wrong: string[] = [];
    await each(some, async (route) => {
      const { status, headers } = await ask(app, route, role, { 'X-Forwarded-For': address });
      if (status !== 429 || !('retry-after' in headers)) wrong.push(`${route}: ${status}`);
    });
    expect(wrong).toEqual([]);
    expect(some.length).toBeGreaterThan(0);
  }

  test('every route of a key', async () => {
    const projectId = await makeProject(world);
    await world.db.query('update project set settings = $2 where id = $1', [
      projectId,
      { requests_per_minute: 60 },
    ]);
    const { key } = await makeKey(world, projectId, { scopes: KeyScope.options });
    const role = { ...roleNamed('nobody'), enter: async () => ({ Authorization: `Bearer ${key}` }) };
    await exceed('api', 'GET /jobs', role, newAddress());
    await see('api', by('key'), role, newAddress());
  });

  const ofEarners = new Set(routes.filter((rule) => rule.by === 'person' && rule.session === 'earner'));
  test.each([
    ['a person', 'a person on a bound device, proven now', 'GET /me/devices', false],
    ['a person who earns', EARNER, 'GET /api/withdraw', true],
  ] as const)('every route of %s', async (_, name, exceeded, earns) => {
    const role = roleNamed(name);
    const entered = await role.enter();
    const one = { ...role, enter: async () => entered };
    await exceed('api', exceeded, one, newAddress());
    const theirs = routes.filter((rule) => rule.by === 'person' && ofEarners.has(rule) === earns);
    await see('api', theirs.map(expressName), one, newAddress());
  });

  test('every route that asks for nobody', async () => {
    const address = newAddress();
    await exceed('api', 'POST /auth/refresh', roleNamed('nobody'), address);
    await see('api', by('anyone'), roleNamed('nobody'), address);
  });

  test('the callbacks of providers', async () => {
    const address = newAddress();
    const redis = new Redis(world.redisUrl);
    await redis.ping();
    const counter = quotaCounter(redis);
    const quota = { name: 'callbacks', subject: address, limit: CALLBACKS_PER_MINUTE } as const;
    await Promise.all(Array.from({ length: CALLBACKS_PER_MINUTE }, () => counter.take([quota])));
    counter.close();
    redis.disconnect();
    await see('api', callbacks, roleNamed('nobody'), address);
  });

  test('the logins of the board', async () => {
    const [nobody, half] = [roleNamed('nobody'), roleNamed('an admin who has shown a password only')];
    const [first, second] = [newAddress(), newAddress()];
    await exceed('board', 'POST /login', nobody, first);
    await see('board', ['POST /login'], nobody, first);
    await exceed('board', 'POST /login/second-factor', half, second);
    await see('board', ['POST /login/second-factor'], half, second);
    await see('board', ['POST /account/recovery-codes'], roleNamed('admin'), second);
  });
});
