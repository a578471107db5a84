import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineRoute } from '../../../apps/http/route.ts';
import { keyRoutes } from '../../../apps/api/project/keys.routes.ts';
import { type Ground, makeKey, makeProject, openApi, openGround, type TestApi } from '../../support/api.ts';

const greet = (path: string, scope: 'public' | 'otp') =>
  defineRoute({
    method: 'get',
    path,
    tag: 'Test',
    summary: 'Greets',
    scope,
    testKeys: 'apart',
    answers: {},
    handle: async () => ({ status: 200, body: {} }),
  });

const SHOP = 'https://shop.example';

let ground: Ground;
let api: TestApi;
let publishable: string;
let publishableId: string;
let secret: string;
let keysPath: string;
beforeAll(async () => {
  ground = await openGround();
  api = openApi(ground, [
    greet('/public', 'public'),
    greet('/service', 'otp'),
    ...keyRoutes(ground.projects),
  ]);
  const { project, key } = await makeProject(ground, 'shop', { requests_per_minute: 60 });
  secret = key;
  keysPath = `/projects/${project.id}/keys`;
  const made = await makeKey(ground, project.id, { access: 'publishable' });
  ({ key: publishable, keyId: publishableId } = made);
  await as(secret, request(api.app).patch(`${keysPath}/${publishableId}`))
    .send({ allowed_origins: [SHOP] })
    .expect(200);
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const as = (key: string, one: request.Test) => one.set('Authorization', `Bearer ${key}`);
const ask = (key: string, path: string, origin: string) =>
  as(key, request(api.app).get(path)).set('Origin', origin);

describe('a preflight', () => {
  const preflight = (path: string) =>
    request(api.app)
      .options(path)
      .set('Origin', SHOP)
      .set('Access-Control-Request-Method', 'GET')
      .set('Access-Control-Request-Headers', 'authorization');

  test('is answered for a route that a publishable key may call', async () => {
    const { headers } = await preflight('/public').expect(204);
    expect(headers['access-control-allow-origin']).toBe(SHOP);
    expect(headers['access-control-allow-methods']).toBe('GET');
    expect(headers['access-control-allow-headers']).toContain('Authorization');
    expect(headers['vary']).toContain('Origin');
  });

  test('is not for a route of services', async () => {
    const { headers } = await preflight('/service').expect(204);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('a page', () => {
  test('of an origin that the key names may call and read, headers too', async () => {
    const { headers } = await ask(publishable, '/public', SHOP).expect(200);
    expect(headers['access-control-allow-origin']).toBe(SHOP);
    expect(headers['access-control-expose-headers']).toContain('Retry-After');
    expect(headers['vary']).toContain('Origin');
  });

  test.each(['https://shop.example.evil', 'http://shop.example', 'https://SHOP.example', 'null'])(
    'of any other origin (%s) is refused, and told where to add it',
    async (origin) => {
      const { body, headers } = await ask(publishable, '/public', origin).expect(403);
      expect(body.type).toMatch(/origin-not-allowed$/);
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    },
  );

  test('never reads an answer to a secret key', async () => {
    const { headers } = await ask(secret, '/public', SHOP).expect(200);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('is not there where no Origin is sent: an app needs no leave', async () => {
    await as(publishable, request(api.app).get('/public')).expect(200);
  });
});

describe('the allowed origins of a key', () => {
  const make = (body: object) => as(secret, request(api.app).post(keysPath)).send(body);

  test('are set when it is made, and shown in lists', async () => {
    const { body } = await make({ access: 'publishable', allowed_origins: [SHOP, SHOP] }).expect(201);
    const list = await as(secret, request(api.app).get(keysPath)).expect(200);
    const shown = list.body.data.find(({ id }: { id: string }) => id === body.id);
    expect(shown.allowed_origins).toEqual([SHOP]);
  });

  test.each([
    'shop.example',
    'https://shop.example/',
    'https://shop.example/path',
    'https://Shop.example',
    'http://shop.example',
    '*',
    'https://*.shop.example',
    'null',
    'https://shop.example:443',
  ])('are exact origins: %s is none', async (origin) => {
    const { body } = await make({ access: 'publishable', allowed_origins: [origin] }).expect(400);
    expect(body.errors[0].pointer).toBe('/allowed_origins/0');
  });

  test.each(['http://localhost:5173', 'http://127.0.0.1:3000', 'https://xn--e1afmkfd.example:8443'])(
    'may be %s',
    async (origin) => {
      await as(secret, request(api.app).patch(`${keysPath}/${publishableId}`))
        .send({ allowed_origins: [SHOP, origin] })
        .expect(200);
    },
  );

  test('are none for a secret key, made or changed', async () => {
    await make({ scopes: ['otp'], allowed_origins: [SHOP] }).expect(400);
    const { body } = await make({ scopes: ['otp'] }).expect(201);
    await as(secret, request(api.app).patch(`${keysPath}/${body.id}`))
      .send({ allowed_origins: [SHOP] })
      .expect(400);
  });
});

test('of refusals for too much traffic one line is logged for each route and limit', async () => {
  api.logged.length = 0;
  let refused = 0;
  for (let asked = 0; asked < 100; asked += 1)
    if ((await as(secret, request(api.app).get('/public'))).status === 429) refused += 1;
  expect(refused).toBeGreaterThan(10);
  const lines = api.logged.filter(({ msg }) => msg === 'request refused');
  expect(lines).toMatchObject([{ route: '/public', reason: 'key' }]);
});
