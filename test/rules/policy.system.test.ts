import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { definePersonRoute, defineRoute, type Route } from '../../apps/http/route.ts';
import type { PersonRule } from '../../domain/staff/access/route-rules.ts';
import type { ProjectId } from '../../domain/shared/ids.ts';
import { personTokens, publicKeys } from '../../infra/identity/person-tokens.ts';
import { readConfig } from '../../infra/process/config.ts';
import { Problem } from '../../apps/http/problem.ts';
import { createHttpServer, drain, listen } from '../../apps/http/server.ts';
import { openApi } from '../support/api.ts';
import type { Fixture } from './policy/fixture.ts';
import { gaps, isRoute } from './policy/gaps.ts';
import { makeRecipient, recipientOf } from './policy/objects.ts';
import { walkProofs } from './policy/proof-states.ts';
import { makeRoles } from './policy/roles.ts';
import { fixtures, rules, type Rules } from './policy/rules.ts';
import { type AnyRule, walk, type Walk } from './policy/walk.ts';
import { type App, apps, openWorld, type World } from './policy/world.ts';

/**
 * The processes run as they are, wired by their own `main.ts`, and say which routes Express has in them. Each is asked over HTTP by every
 * role that there is. A route that is new needs a rule (an API route's own type demands it, `domain/staff/access/route-rules.ts` holds the others)
 * and a fixture, which says how to ask it.
 */

const DRAIN_MS = 1_000;
/** Some twenty thousand requests: 40 s on a quiet machine. */
const WALK_MS = 300_000;

let world: World;
let who: Awaited<ReturnType<typeof makeRoles>>;
beforeAll(async () => {
  world = await openWorld();
  who = await makeRoles(world);
});
afterAll(() => world?.stop());

const walkOf = (app: App, some: Rules = rules[app], more: Partial<Walk> = {}) =>
  walk({
    world,
    app,
    url: world.urls[app],
    ...who,
    rules: some,
    fixtures: fixtures[app],
    ...more,
  });

describe('every route has a rule, and every rule a route', () => {
  test.each(apps)('of the %s', (app) => {
    expect(world.routes[app].length).toBeGreaterThan(1);
    expect(gaps(world.routes[app], rules[app])).toEqual([]);
    expect(Object.keys(fixtures[app]).filter((route) => !(route in rules[app]))).toEqual([]);
  });

  test('what answers every other method of a path refuses all of them', async () => {
    for (const [, path = ''] of world.routes.api
      .filter((route) => !isRoute(route))
      .map((route) => route.split(' '))) {
      const served = world.routes.api
        .filter((route) => route.endsWith(` ${path}`))
        .map((route) => route.split(' ')[0]);
      const [method] = ['PUT', 'PATCH', 'DELETE', 'POST'].filter((one) => !served.includes(one));
      const { status } = await fetch(world.urls.api + path.replaceAll(/:\w+/g, 'any'), {
        method: method ?? '',
      });
      expect([method, path, status]).toEqual([method, path, 405]);
    }
  });
});

describe('as every role, for its own, for another’s and for nothing', { timeout: WALK_MS }, () => {
  test.each(apps)('the %s answers as its rules say, and betrays nothing', async (app) => {
    expect(await walkOf(app)).toEqual([]);
  });

  test.each(apps)('what is no route of the %s is nobody’s', async (app) => {
    const refused: AnyRule =
      app === 'board' ? { by: 'nobody' } : { by: 'anyone', because: 'all are told 404' };
    const nowhere: Fixture = {
      ask: () => ({ path: '/nothing-like-it' }),
      ...(app === 'board' ? {} : { answers: [404] }),
    };
    const some = { 'GET /nothing-like-it': refused, 'DELETE /nothing-like-it': refused };
    const there = Object.fromEntries(Object.keys(some).map((route) => [route, nowhere]));
    expect(await walkOf(app, some, { fixtures: there })).toEqual([]);
  });

  test.each([
    '/OPS/Audit',
    '/ops/audit/',
    '/ops//audit',
    '/ops/%61udit',
    '//ops/audit',
    '/ops/audit%2f',
    '/ops/audit;x',
  ])('however its path is spelled: %s is not for a viewer', async (path) => {
    const viewer = who.roles.find(({ name }) => name === 'viewer');
    const headers = { Accept: 'application/json', ...(await viewer?.enter()) };
    const { status } = await fetch(world.urls.board + path, { headers });
    expect(status).toBe(403);
  });

  test('what nobody may do leaves an audit row, also what only reads', async () => {
    const { rows } = await world.db.query<{ subject: string }>(
      `select distinct subject from audit where action = 'board.refused' and staff_id is not null`,
    );
    const subjects = rows.map(({ subject }) => subject);
    expect(subjects).toEqual(
      expect.arrayContaining(['GET /nothing-like-it', 'PUT /api/queues/otp-send/obliterate']),
    );
  });
});

describe('a route that asks for a proof', { timeout: WALK_MS }, () => {
  const asking = Object.keys(rules.board).filter((route) => {
    const rule = rules.board[route] as AnyRule;
    return 'proof' in rule && rule.proof;
  });

  test('takes the one of exactly what is asked, once, within five minutes, and no other', async () => {
    expect(asking.length).toBeGreaterThan(1);
    expect(await walkProofs(world, rules.board, fixtures.board)).toEqual([]);
  });

  test('is seen where nothing to approve is made for it', async () => {
    const [route = ''] = asking;
    const some = { [route]: rules.board[route] as AnyRule };
    expect(await walkProofs(world, some, {})).toEqual([
      `${route} asks for a proof, and its fixture makes nothing to approve`,
    ]);
  });

  test('is seen where it takes what it should not: proofs of a passkey’s removal approve no registration', async () => {
    const route = 'POST /staff/passkeys';
    const wrong: Fixture = {
      ...(fixtures.board[route] as Fixture),
      proof: async (of, staffId) => {
        const made = await (fixtures.board[route] as Required<Fixture>).proof(of, staffId);
        return { ...made, binds: { ...made.binds, action: 'passkey.remove' } };
      },
    };
    const faults = await walkProofs(world, { [route]: rules.board[route] as AnyRule }, { [route]: wrong });
    expect(faults.map(withoutBody)).toContain(`${route} with a proof, one by a passkey: answered 403`);
  });
});

describe('a route about money', () => {
  const route: Rules = { 'GET /purses/:sub': { by: 'person', session: 'earner' } };
  const fixture: Fixture = {
    make: recipientOf,
    ask: (sub) => ({ path: `/purses/${sub}` }),
  };
  const walkPurses = async (session: PersonRule['session'], moneyProject: ProjectId | null) => {
    const { url, close } = await openRoute(purse(session), moneyProject);
    const faults = await walkOf('api', route, { url, fixtures: { 'GET /purses/:sub': fixture } });
    await close();
    return faults.map(withoutBody);
  };

  test('is for live sessions of the project in which people earn, and of no other', async () => {
    expect(await walkPurses('earner', who.moneyProject)).toEqual([]);
  });

  test('is seen where it lets in a session of any project, or of a test key', async () => {
    const faults = await walkPurses('project', who.moneyProject);
    expect(faults).toEqual(
      expect.arrayContaining([
        "GET /purses/:sub as a person in a project's session, proven now: answered 404 and not 403",
        "GET /purses/:sub as a person in the app's session, proven now: answered 404 and not 403",
        "GET /purses/:sub as a test key's person where people earn, proven now: answered 404 and not 403",
      ]),
    );
  });

  test('is nobody’s where no project is set', async () => {
    const asEarner = ['proven earlier', 'proven now'].map(
      (proven) => `GET /purses/:sub as a person in the project where they earn, ${proven}:`,
    );
    expect(await walkPurses('earner', null)).toEqual(
      asEarner.flatMap((role) => [`${role} its own answered 403`, `${role} nothing answered 403`]),
    );
  });
});

describe('the walk sees', () => {
  test('a route without a fixture', async () => {
    expect(await walkOf('api', { 'GET /jobs': rules.api['GET /jobs'] as AnyRule }, { fixtures: {} })).toEqual(
      ['GET /jobs has no fixture: nobody has asked it'],
    );
  });

  test('an API that lets in more than its rules say', async () => {
    const stricter: Rules = {
      'GET /jobs': { by: 'key', scope: 'webhooks', testKeys: 'refused' },
      'GET /projects/:id': { by: 'key', scope: 'projects', testKeys: 'refused' },
    };
    expect((await walkOf('api', stricter)).map(withoutBody)).toEqual(
      expect.arrayContaining([
        'GET /jobs as a live key of jobs alone: answered 200 and not 403',
        'GET /projects/:id as a test key of every scope: answered 404 and not 403',
      ]),
    );
  });

  test('a board that lets in more than its rules say', async () => {
    const stricter: Rules = {
      'GET /ops/audit': { by: 'staff', action: 'jobs.retry', credentials: ['cookie'] },
      'GET /login': { by: 'session', extent: 'full', credentials: ['cookie'] },
      'GET /staff/sessions': { by: 'staff', action: 'money.correct', credentials: ['cookie'] },
    };
    const faults = (await walkOf('board', stricter)).map(withoutBody);
    expect(faults).toContain('GET /ops/audit as finance: answered 200 and not 403');
    expect(faults).toContain('GET /login as nobody: answered 200 and not 401');
    expect(faults).toContain('GET /staff/sessions as viewer: answered 200 and not 403');
    expect(faults).toContain('GET /staff/sessions as admin, by bearer: answered 200 and not 401');
  });

  test('an app that lets in fewer than its rules say', async () => {
    const looser: Rules = { 'GET /jobs': { by: 'key', scope: 'public', testKeys: 'apart' } };
    const faults = (await walkOf('api', looser)).map(withoutBody);
    expect(faults).toContain('GET /jobs as a publishable key: its own answered 403');
  });

  test.each([
    ['shows what is another’s', 'other-shown', "another's answered 200"],
    ['says that it is another’s', 'other-told', "another's answered 403"],
    ['says to whoever may not that it exists', 'existence-told', 'refused otherwise where it exists: 403'],
  ] as const)('a route that %s', async (_what, leak, fault) => {
    const { url, close } = await openLeak(leak);
    const route = { 'GET /leak/:id': { by: 'key', scope: 'recipients', testKeys: 'apart' } } satisfies Rules;
    const ask: Fixture = { make: makeRecipient, ask: (id) => ({ path: `/leak/${id}` }) };
    const faults = await walkOf('api', route, { url, fixtures: { 'GET /leak/:id': ask } });
    expect(faults.map(withoutBody)).toContainEqual(expect.stringContaining(fault));
    await close();
  });
});

/** The first line, up to the answer's own text. */
const withoutBody = (fault: string) => (fault.split('\n')[0] ?? '').replace(/ ([{<].*)?$/, '');

type Leak = 'other-shown' | 'other-told' | 'existence-told';

/** Of the person who asks, by what the project calls them, and of nobody else: not of theirs at another project either. */
const purse = (session: PersonRule['session']) =>
  definePersonRoute({
    method: 'get',
    path: '/purses/{sub}',
    tag: 'Purse',
    summary: 'Tells what is in it',
    session,
    params: z.object({ sub: z.uuid() }),
    answers: {},
    async handle({ params, person }) {
      if (params.sub !== person.recipientId) throw new Problem(404, 'not-found', 'There is none.');
      return { status: 200, body: { id: params.sub } };
    },
  });

/** An API over the same database with one route, which forgets whose something is. */
async function openLeak(leak: Leak) {
  const route = defineRoute({
    method: 'get',
    path: '/leak/{id}',
    tag: 'Leak',
    summary: 'Leaks',
    scope: leak === 'existence-told' ? 'public' : 'recipients',
    testKeys: 'apart',
    params: z.object({ id: z.uuid() }),
    answers: {},
    async handle({ params, caller }) {
      const found = await world.db.query<{ project_id: string }>(
        'select project_id from recipient where id = $1',
        [params.id],
      );
      const [row] = found.rows;
      if (!row) throw new Problem(404, 'not-found', 'There is none.');
      const isOwn = row.project_id === caller.projectId;
      if (leak === 'existence-told' && !caller.scopes.includes('recipients'))
        throw new Problem(403, 'insufficient-scope', 'It is there, and not for you.');
      if (!isOwn && leak === 'other-told') throw new Problem(403, 'insufficient-scope', 'It is another’s.');
      return { status: 200, body: { id: params.id } };
    },
  });
  return openRoute(route, null);
}

/** An API over the same database with one route of a test's own. */
async function openRoute(route: Route, moneyProject: ProjectId | null) {
  const { db: pool, hash, redisUrl, env } = world;
  const persons = await personTokens(publicKeys(readConfig(env)), pool);
  const api = openApi({ pool, hash, redisUrl }, [route], [], persons, { moneyProject, proxies: 1 });
  const server = createHttpServer(api.app);
  await listen(server, '127.0.0.1', 0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    await drain(server, DRAIN_MS);
    await api.close();
  };
  return { url, close };
}
