import type { Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Pool } from 'pg';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineRoute } from '../../../apps/http/route.ts';
import { BODY_BYTES_MAX } from '../../../apps/http/body.ts';
import type { ProjectId } from '../../../domain/job/job.ts';
import { createHttpServer, HEADER_BYTES_MAX } from '../../../apps/http/server.ts';
import { type Ground, makeKey, makeProject, openApi, openGround, type TestApi } from '../../support/api.ts';
import { askWithoutBody, headOf, readAnswer } from '../../support/raw-request.ts';

const echo = defineRoute({
  method: 'post',
  path: '/echo/{id}',
  tag: 'Test',
  summary: 'Says what it heard',
  scope: 'otp',
  testKeys: 'apart',
  idempotent: true,
  params: z.object({ id: z.string() }),
  query: z.strictObject({ q: z.string().optional() }),
  body: z.strictObject({
    text: z.string(),
    'a/b': z.array(z.int()).optional(),
    deep: z.unknown().optional(),
  }),
  answers: {},
  handle: async ({ params, query, body, requestId, idempotencyKey }) => ({
    status: 202,
    body: { params, query, body, requestId, idempotencyKey },
  }),
});

const broken = defineRoute({
  method: 'get',
  path: '/broken',
  tag: 'Test',
  summary: 'Fails inside',
  scope: 'otp',
  testKeys: 'apart',
  answers: {},
  handle: async () => ({ status: 200, body: z.object({ secret_field: z.string() }).parse({}) }),
});

let ground: Ground;
let api: TestApi;
let key: string;
let project: ProjectId;

beforeAll(async () => {
  ground = await openGround();
  api = openApi(ground, [echo, broken]);
  const made = await makeProject(ground, 'demo');
  ({ key } = made);
  project = made.project.id;
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const post = (path = '/echo/1') => request(api.app).post(path).set('Authorization', `Bearer ${key}`);
const postJson = (body: string) => post().set('Content-Type', 'application/json').send(body);
/** `{"text":"xxx…"}` of this many bytes. */
const bodyOf = (bytes: number) => `{"text":"${'x'.repeat(bytes - '{"text":""}'.length)}"}`;

describe('a body', () => {
  test('of exactly the limit is read, and one byte more is refused', async () => {
    await postJson(bodyOf(BODY_BYTES_MAX)).expect(202);
    const refused = await postJson(bodyOf(BODY_BYTES_MAX + 1)).expect(413);
    expect(refused.headers['content-type']).toContain('application/problem+json');
  });

  test.each(['{', '', 'null', '[]', '"text"'])(
    'that is not a JSON object (%j) is refused with 400',
    async (body) => {
      await postJson(body).expect(400);
    },
  );

  test('that is not UTF-8 is refused', async () => {
    const bytes = Buffer.concat([Buffer.from('{"text":"'), Buffer.of(0xff), Buffer.from('"}')]);
    await post()
      .set('Content-Type', 'application/json')
      .serialize(() => bytes as unknown as string)
      .send({})
      .expect(400);
  });

  test('of another type, or compressed, is refused with 415', async () => {
    await post().set('Content-Type', 'text/plain').send('{"text":"x"}').expect(415);
    await post().set('Content-Type', 'application/json; charset=utf-16').send('{"text":"x"}').expect(415);
    await post()
      .set('Content-Type', 'application/json')
      .set('Content-Encoding', 'gzip')
      .serialize(() => gzipSync('{"text":"x"}') as unknown as string)
      .send({})
      .expect(415);
  });

  test.each([
    'application/json; charset=UTF-8',
    'application/json;charset=utf8',
    'application/json; charset="utf-8"; foo=bar',
    'application/json; foo=bar',
    'Application/JSON',
    'application/vnd.api+json',
    'application/problem+json ; Charset=Utf-8',
  ])('of a JSON type in UTF-8 is read: %s', async (type) => {
    await post().set('Content-Type', type).send('{"text":"x"}').expect(202);
  });

  test('with a byte order mark before it is read', async () => {
    await postJson('\uFEFF{"text":"x"}').expect(202);
  });
});

describe('text that Postgres would refuse is named and refused at the boundary', () => {
  test.each([
    ['a null character', String.raw`{"text":"a\u0000b"}`, '/text'],
    ['half of a pair, high', String.raw`{"text":"\ud83d"}`, '/text'],
    ['half of a pair, low', String.raw`{"text":"\ude00 x"}`, '/text'],
    ['deep inside', String.raw`{"text":"x","deep":[{"a~/":["\u0000"]}]}`, '/deep/0/a~0~1/0'],
    ['in the name of a member', String.raw`{"text":"x","deep":{"\u0000":1}}`, '/deep'],
  ])('%s', async (_what, body, pointer) => {
    const refused = await postJson(body).expect(400);
    expect(refused.body.errors).toHaveLength(1);
    expect(refused.body.errors[0].pointer).toBe(pointer);
  });

  test('in a query and in a path', async () => {
    expect((await post('/echo/1?q=%00').send({ text: 'x' }).expect(400)).body.errors[0].pointer).toBe('q');
    expect((await post('/echo/%00').send({ text: 'x' }).expect(400)).body.errors[0].pointer).toBe('id');
    await post('/echo/%ff').send({ text: 'x' }).expect(400);
  });

  test('a whole pair, escaped, is text like any other', async () => {
    const { body } = await postJson(String.raw`{"text":"\ud83d\ude00 \u0041"}`).expect(202);
    expect(body.body.text).toBe('😀 A');
  });
});

describe('the shape of a body is bounded before anything is built from it', () => {
  /** Containers in one another, the body itself among them. */
  const nested = (depth: number) => `{"text":"x","deep":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  /** Two members, and items. */
  const wide = (parts: number) =>
    `{"text":"x","deep":[${Array(parts - 2)
      .fill(0)
      .join(',')}]}`;

  test('32 levels are taken, and 33 are not', async () => {
    await postJson(nested(32)).expect(202);
    const { body } = await postJson(nested(33)).expect(400);
    expect(body.errors).toEqual([{ pointer: '', detail: expect.stringContaining('deeper than 32') }]);
  });

  test('2 000 members and items are taken, and 2 001 are not', async () => {
    await postJson(wide(2_000)).expect(202);
    const { body } = await postJson(wide(2_001)).expect(400);
    expect(body.errors).toEqual([{ pointer: '', detail: expect.stringContaining('more than 2000') }]);
  });

  test('brackets, commas and quotes inside of strings count for nothing', async () => {
    const text = String.raw`[{,:\\"`.repeat(1_000);
    const { body } = await post().send({ text, deep: text }).expect(202);
    expect(body.body.text).toBe(text);
  });

  test('of a thousand unknown fields twenty are told, and how many there were', async () => {
    const unknown = Array.from({ length: 900 }, (_, at) => [`field${at}`, 1]);
    const { body } = await post()
      .send({ text: 'x', ...Object.fromEntries(unknown) })
      .expect(400);
    expect(body.errors).toHaveLength(20);
    expect(body.errors_total).toBe(900);
  });
});

describe('a request that does not fit its schema', () => {
  test('is told every bad field by a JSON pointer', async () => {
    const { body } = await postJson('{"text":1,"a/b":["x"],"more":true}').expect(400);
    expect(body.type).toMatch(/invalid-request$/);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
      '/text',
      '/a~1b/0',
      '/more',
    ]);
  });

  test('is told a bad parameter by its name, a repeated one too', async () => {
    expect((await post('/echo/1?nope=1').send({ text: 'x' }).expect(400)).body.errors[0].pointer).toBe(
      'nope',
    );
    expect((await post('/echo/1?q=1&q=2').send({ text: 'x' }).expect(400)).body.errors[0].pointer).toBe('q');
  });

  test('a fault of ours is a 500 that says nothing, and a log line that says all', async () => {
    const { body, headers } = await request(api.app).get('/broken').set('X-Api-Key', key).expect(500);
    expect(JSON.stringify(body)).not.toContain('secret_field');
    const line = api.logged.find((logged) => logged['request_id'] === headers['x-request-id']);
    expect(line).toMatchObject({ level: 'error', status: 500 });
    expect(JSON.stringify(line)).toContain('secret_field');
  });
});

describe('an idempotency key', () => {
  const withKey = (text: string) => post().set('Idempotency-Key', text).send({ text: 'x' });

  test('of 1 or of 255 visible characters is taken', async () => {
    expect((await withKey('k').expect(202)).body.idempotencyKey).toBe('k');
    await withKey('k'.repeat(255)).expect(202);
  });

  test.each(['k'.repeat(256), 'a b', 'é'])('of another shape is refused (%#)', async (text) => {
    const refused = await withKey(text).expect(400);
    expect(refused.body.errors[0].pointer).toBe('Idempotency-Key');
  });
});

describe('a request id', () => {
  test('that is safe to log comes back; any other is replaced', async () => {
    const mine = await post().set('X-Request-Id', 'order-4711').send({ text: 'x' });
    expect(mine.headers['x-request-id']).toBe('order-4711');
    expect(mine.body.requestId).toBe('order-4711');
    for (const bad of ['a b', 'x'.repeat(65), '"; drop']) {
      const theirs = await post().set('X-Request-Id', bad).send({ text: 'x' });
      expect(theirs.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe('an address', () => {
  test('that is unknown is a 404 problem, with the guarding headers of every answer', async () => {
    const { body, headers } = await request(api.app).get('/nowhere').expect(404);
    expect(body).toMatchObject({ status: 404, title: 'Not found' });
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  test('asked with another method says which there are', async () => {
    const { headers } = await request(api.app).get('/echo/1').expect(405);
    expect(headers['allow']).toBe('POST, OPTIONS');
    await request(api.app).options('/echo/1').expect(204).expect('Allow', 'POST, OPTIONS');
    await request(api.app).head('/broken').set('X-Api-Key', key).expect(500);
  });
});

test('requests are observed by their route, not by their path', async () => {
  api.observed.length = 0;
  await post('/echo/4711').send({ text: 'x' }).expect(202);
  expect(api.observed).toMatchObject([{ method: 'POST', route: '/echo/{id}', status: 202 }]);
});

test('without a database the answer is 503 and when to come back', async () => {
  const pool = new Pool({ connectionString: 'postgres://nobody@127.0.0.1:9/none' });
  const lone = openApi({ ...ground, pool }, [echo]);
  const { headers } = await request(lone.app)
    .post('/echo/1')
    .set('X-Api-Key', key)
    .send({ text: 'x' })
    .expect(503);
  expect(headers['retry-after']).toBe('1');
  await lone.close();
  await pool.end();
});

describe('the server', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createHttpServer(api.app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  test('refuses headers above its limit as a problem, and reads those below it', async () => {
    const fit = await fetch(`${url}/nowhere`, {
      headers: { 'x-filler': 'x'.repeat(HEADER_BYTES_MAX - 1_000) },
    });
    expect(fit.status).toBe(404);
    const refused = await fetch(`${url}/nowhere`, { headers: { 'x-filler': 'x'.repeat(HEADER_BYTES_MAX) } });
    expect(refused.status).toBe(431);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
  });

  test('refuses a body that hides its length at the same limit', async () => {
    const status = async (bytes: number) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const body = new Blob([bodyOf(bytes)]).stream();
      return (await fetch(`${url}/echo/1`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit))
        .status;
    };
    expect(await status(BODY_BYTES_MAX)).toBe(202);
    expect(await status(BODY_BYTES_MAX + 1)).toBe(413);
  });

  /** A request with this body, written whole before anything is read, as simple clients do. */
  async function writeThenRead(bearer: string, body: Buffer, more: Record<string, string> = {}) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const answer = readAnswer(socket);
    const headers = {
      Host: 'x',
      Authorization: `Bearer ${bearer}`,
      'Content-Type': 'application/json',
      ...more,
    };
    socket.write(headOf('POST', '/echo/1', { ...headers, 'Content-Length': String(body.length) }));
    await new Promise((resolve) => socket.write(body, resolve));
    const { status } = await answer;
    socket.destroy();
    return status;
  }

  test.each<Record<string, string>>([{}, { Connection: 'close' }])(
    'refuses a body of 1 MB unread, and a client that sends it whole first still reads why (%j)',
    async (more) => {
      const { key: jobsKey, keyId } = await makeKey(ground, project, { scopes: ['jobs'] });
      const body = Buffer.alloc(1_000_000, '[');
      expect(await writeThenRead(jobsKey, body, more)).toBe(403);
      expect(await writeThenRead(key, body, more)).toBe(413);
      await ground.projects.revokeKey(project, keyId, new Date());
    },
  );

  test('asks who waits for 100 Continue for the body only once nothing else is wrong', async () => {
    const expecting = { 'Content-Type': 'application/json', 'Content-Length': '12', Expect: '100-continue' };
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const first = readAnswer(socket);
    socket.write(headOf('POST', '/echo/1', { Host: 'x', Authorization: `Bearer ${key}`, ...expecting }));
    expect((await first).status).toBe(100);
    const second = readAnswer(socket);
    socket.write('{"text":"x"}');
    expect((await second).status).toBe(202);
    socket.destroy();
    const refused = await askWithoutBody(url, 'POST', '/echo/1', {
      Authorization: 'Bearer none',
      ...expecting,
    });
    expect(refused.status).toBe(401);
  });

  test('calls a client that leaves before its body has come neither a fault nor a database', async () => {
    api.logged.length = 0;
    api.observed.length = 0;
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const headers = { Host: 'x', Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    socket.write(headOf('POST', '/echo/1', { ...headers, 'Content-Length': '100' }) + '{"text":');
    // Taken in by the time that the next request is answered.
    await post().send({ text: 'x' }).expect(202);
    socket.destroy();
    await vi.waitUntil(() => api.observed.length === 2, { timeout: 20_000 });
    expect(api.observed[1]).toMatchObject({ route: '/echo/{id}', status: 499 });
    expect(api.logged.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  test('cuts off who sends headers too slowly, with 408', async () => {
    const slow = connect(Number(new URL(url).port), '127.0.0.1');
    slow.write('POST /echo/1 HTTP/1.1\r\nHost: x\r\n');
    const [answer] = (await once(slow, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 408 [^]*problem\+json[^]*request-timeout/);
  });
});
