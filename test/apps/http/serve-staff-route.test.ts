import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import supertest from 'supertest';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { doorRoutes } from '../../../apps/board/door.ts';
import { defineStaffRoute } from '../../../apps/http/route.ts';
import { FAILED_AUTHENTICATIONS_PER_MINUTE } from '../../../domain/project/quota.ts';
import { openBoard } from '../board/open-board.ts';

/** The staff's door by its own door: two routes of a product, served by the board over Postgres and Redis. */

const shape = { tag: 'Test', answers: {} } as const;
const look = defineStaffRoute({
  ...shape,
  method: 'get',
  path: '/finance/look',
  summary: 'Looks',
  action: 'finance.read',
  handle: async ({ staff }) => ({ status: 200, body: staff }),
});
const follow = defineStaffRoute({
  ...shape,
  method: 'get',
  path: '/finance/follow',
  summary: 'Follows',
  action: 'finance.read',
  follows: true,
  handle: async () => ({
    status: 200,
    body: undefined,
    async *events(signal) {
      while (!signal.aborted) {
        yield ': here\n\n';
        await sleep(200, undefined, { signal }).catch(() => undefined);
      }
    },
  }),
});
const lookAtAudit = defineStaffRoute({
  ...shape,
  method: 'get',
  path: '/staff/look',
  summary: 'Looks at the audit',
  action: 'audit.read',
  handle: async () => ({ status: 200, body: {} }),
});
const move = defineStaffRoute({
  ...shape,
  method: 'post',
  path: '/finance/move/{id}',
  summary: 'Moves',
  action: 'money.correct',
  params: z.object({ id: z.string() }),
  body: z.strictObject({ text: z.string() }),
  handle: async ({ body }) => ({ status: 200, body }),
});

const board = await openBoard({ routes: [look, follow, lookAtAudit, move], proxies: 1 });
afterAll(() => board.close());
const [finance, operator] = [await board.createMember('finance'), await board.createMember('operator')];
const tokens = { finance: await board.openBearer(finance), operator: await board.openBearer(operator) };

let addresses = 0;
const from = () => `198.51.100.${++addresses}`;
const withBearer = (token: string) => ({ Authorization: `Bearer ${token}`, 'X-Forwarded-For': from() });
const withCookie = (token: string) => ({ Cookie: `navbat_staff=${token}`, 'X-Forwarded-For': from() });
const get = (headers: Record<string, string>, path = '/finance/look') =>
  supertest(board.url).get(path).set(headers);
const post = (headers: Record<string, string>) =>
  supertest(board.url).post('/finance/move/4711').set(headers);
const own = { 'Sec-Fetch-Site': 'same-origin' };

test('a parameter that a route does not have is 400', async () => {
  const { body } = await get(withBearer(tokens.finance), '/finance/look?limit=5').expect(400);
  expect(body.errors).toEqual([
    { pointer: 'limit', detail: 'There is no such parameter: this route takes none.' },
  ]);
});

describe('a session opens the door as it was made to be shown', () => {
  test('a program by its bearer token, a page by its cookie: the handler learns who and how', async () => {
    const { id, email } = finance;
    const staff = { id, email, role: 'finance' };
    expect((await get(withBearer(tokens.finance)).expect(200)).body).toEqual({ ...staff, via: 'bearer' });
    expect((await get(withCookie(finance.token)).expect(200)).body).toEqual({ ...staff, via: 'cookie' });
  });

  test('a bearer token is no cookie, here and on the pages, and a cookie is no bearer token', async () => {
    await get(withCookie(tokens.finance)).expect(401);
    await get({ ...withCookie(tokens.finance), Accept: 'application/json' }, '/ops').expect(401);
    await get(withBearer(finance.token)).expect(401);
    await get(withBearer(tokens.finance.replace('nbs_', ''))).expect(401);
  });

  test('with both, the bearer token counts: a wrong one is not saved by a cookie', async () => {
    const cookie = withCookie(finance.token);
    expect((await get({ ...cookie, ...withBearer(tokens.operator) }).expect(403)).body.type).toMatch(
      /role-forbids$/,
    );
    await get({ ...cookie, ...withBearer('nbs_of-nothing') }).expect(401);
    await get({ ...cookie, Authorization: 'Bearer' }).expect(401);
    // A proxy asked for it, and passes it on.
    await get({ ...cookie, Authorization: 'Basic YTpi' }).expect(200);
    await get({ Authorization: 'Basic YTpi' }).expect(401);
  });

  test('a token in the URL or in a body opens nothing', async () => {
    await get({}, `/finance/look?access_token=${tokens.finance}`).expect(401);
    await post({}).send({ text: 'x', access_token: tokens.finance }).expect(401);
  });

  test('a session that has shown a password only is told what it lacks', async () => {
    const half = withBearer(await board.openPending(finance.id, 'bearer'));
    const { headers } = await get(half).expect(401);
    expect(headers['www-authenticate']).toContain('insufficient_user_authentication');
    await get(withCookie(await board.openPending(finance.id))).expect(401);
  });

  test.each(['first', 'last'])(
    'of two Authorization headers neither counts, the bearer token %s: a proxy may have looked at the other',
    async (place) => {
      const socket = connect(Number(new URL(board.url).port), '127.0.0.1');
      const two = ['Basic YTpi', `Bearer ${tokens.finance}`].map((text) => `Authorization: ${text}\r\n`);
      const headers = (place === 'last' ? two : two.toReversed()).join('');
      socket.write(`GET /finance/look HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
      socket.destroy();
    },
  );
});

describe('server-sent events end within seconds of what opened them', () => {
  const WITHIN_MS = 10_000;
  const opened = async (token: string) => {
    const stream = await fetch(`${board.url}/finance/follow`, { headers: withBearer(token) });
    expect(stream.status).toBe(200);
    return stream;
  };

  test('of a session that was closed, and not of another one', { timeout: 3 * WITHIN_MS }, async () => {
    const token = await board.openBearer(finance);
    const [closed, kept] = [await opened(token), await opened(tokens.finance)];
    await supertest(board.url).delete('/staff/sessions/current').set(withBearer(token)).expect(204);
    const ended = closed.text().then(() => 'ended');
    expect(await Promise.race([ended, sleep(WITHIN_MS, 'goes on')])).toBe('ended');
    const reader = kept.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
  });
});

describe('what changes something by cookie', () => {
  const cookie = () => withCookie(finance.token);

  test('comes from the board’s own page, or is refused with a row', async () => {
    await post({ ...cookie(), ...own })
      .send({ text: 'x' })
      .expect(200);
    await post({ ...cookie(), Origin: board.url })
      .send({ text: 'x' })
      .expect(200);
    const before = (await board.audit()).length;
    for (const strange of [
      {},
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site', Origin: board.url },
      { Origin: 'null' },
      { Origin: `${board.url}0` },
    ])
      expect(
        (
          await post({ ...cookie(), ...strange })
            .send({ text: 'x' })
            .expect(403)
        ).body.type,
      ).toMatch(/foreign-origin$/);
    expect((await board.audit()).slice(before)).toEqual(
      Array(5).fill(expect.objectContaining({ actor: finance.email, action: 'request.refused' })),
    );
  });

  test('leaves a row with 200 signs of its path, by another site and by a role', async () => {
    const path = `/finance/move/${'4'.repeat(300)}`;
    const asked = (headers: Record<string, string>) =>
      supertest(board.url).post(path).set(headers).send({ text: 'x' }).expect(403);
    const before = (await board.audit()).length;
    await asked(cookie());
    await asked(withBearer(tokens.operator));
    const subject = `POST ${path}`.slice(0, 200);
    expect((await board.audit()).slice(before)).toMatchObject([
      { actor: finance.email, action: 'request.refused', subject },
      { actor: operator.email, action: 'money.correct', subject },
    ]);
  });

  test('is JSON: what a form can post is not read, even from our own page', async () => {
    const send = (type: string) => post({ ...cookie(), ...own, 'Content-Type': type }).send('{"text":"x"}');
    await send('text/plain').expect(415);
    await send('application/x-www-form-urlencoded').expect(415);
    await post({ ...cookie(), 'Content-Type': 'text/plain' })
      .send('{"text":"x"}')
      .expect(403);
  });

  test('of a bearer token needs no origin, because no browser adds one by itself', async () => {
    await post(withBearer(tokens.finance)).send({ text: 'x' }).expect(200);
  });

  test('no other site may read an answer or ask before', async () => {
    const evil = { Origin: 'https://evil.example' };
    const read = await get({ ...cookie(), ...evil });
    expect(read.headers).not.toHaveProperty('access-control-allow-origin');
    const asked = await supertest(board.url).options('/finance/move/4711').set(evil).expect(204);
    expect(asked.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('a role that may not', () => {
  test('is refused with a row, whether it would have changed something or read of money', async () => {
    const before = (await board.audit()).length;
    await get(withBearer(tokens.operator)).expect(403);
    await post(withBearer(tokens.operator)).send({ text: 'x' }).expect(403);
    const detail = { outcome: 'refused', reason: 'role', role: 'operator', via: 'bearer' };
    expect((await board.audit()).slice(before)).toEqual([
      { actor: operator.email, action: 'finance.read', subject: 'GET /finance/look', detail },
      { actor: operator.email, action: 'money.correct', subject: 'POST /finance/move/4711', detail },
    ]);
  });

  test('leaves no row where it would have read something else', async () => {
    const viewer = await board.createMember('viewer');
    const before = (await board.audit()).length;
    await get(withBearer(await board.openBearer(viewer)), '/staff/look').expect(403);
    expect((await board.audit()).slice(before)).toEqual([]);
  });

  test('is read at each request, and a disabled login has no session', async () => {
    const member = await board.createMember('finance');
    const token = await board.openBearer(member);
    await get(withBearer(token)).expect(200);
    await board.owner.query(`update staff set role = 'viewer' where id = $1`, [member.id]);
    await get(withBearer(token)).expect(403);
    await board.pool.query('update staff set disabled_at = now() where id = $1', [member.id]);
    await get(withBearer(token)).expect(401);
  });
});

describe('paths', () => {
  test.each(['/FINANCE/Look', '/finance/look/'])(
    '%s is the route with its rule, however it is spelled',
    async (path) => {
      await get(withBearer(tokens.operator), path).expect(403);
      await get({}, path).expect(401);
    },
  );

  test.each([
    '/finance//look',
    '/finance/%6cook',
    '//finance/look',
    '/finance/look;x',
    '/finance/look%2f',
    '/finance/./look/x',
  ])('%s is no route', async (path) => {
    const { status } = await get(withBearer(tokens.finance), path);
    // The second is no path of the door: the pages' login is asked for.
    expect(status).toBe(path.startsWith('//') ? 303 : 404);
  });

  test('a path of the door that does not exist is 404, and another method 405', async () => {
    const { body } = await get(withBearer(tokens.finance), '/finance/typo').expect(404);
    expect(body.detail).toBe('No such route: GET /finance/typo.');
    const { headers } = await supertest(board.url).put('/finance/look').expect(405);
    expect(headers['allow']).toBe('GET, HEAD, OPTIONS');
  });
});

test('wrong tokens from one address are refused for a minute, good ones go on', async () => {
  const at = { 'X-Forwarded-For': '203.0.113.7' };
  const wrong = { Authorization: 'Bearer nbs_a-guess', ...at };
  for (let tries = 0; tries < FAILED_AUTHENTICATIONS_PER_MINUTE; tries++) await get(wrong).expect(401);
  await get(wrong).expect(429);
  await get({ Authorization: `Bearer ${tokens.finance}`, ...at }).expect(200);
});

describe('a route that would be let in by mistake does not start', () => {
  test('where it asks for a proof that its body does not carry', () => {
    const wish = { ...shape, method: 'post', path: '/finance/x', summary: 'x', action: 'batch.run' } as const;
    const handle = async () => ({ status: 200, body: {} });
    expect(() => defineStaffRoute({ ...wish, proof: true, handle })).toThrow('has no proof_id');
    expect(() =>
      defineStaffRoute({ ...wish, proof: true, body: z.object({ proof_id: z.uuid() }), handle }),
    ).not.toThrow();
  });

  test('where it would stand among the pages of the board', () => {
    for (const path of ['/ops/look', '/finance', '/financed/look', '/login'])
      expect(() => doorRoutes({ routes: [{ ...look, path }] } as never), path).toThrow('is not at /staff/');
  });
});
