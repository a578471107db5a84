import request from 'supertest';
import { expect, onTestFinished, test } from 'vitest';
import { webhookRoutes } from '../../../../apps/api/webhook/webhooks.routes.ts';
import { ENDPOINTS_MAX } from '../../../../domain/webhook/endpoint.ts';
import { eventTypesOf } from '../../../../domain/events.ts';
import { makeKey, makeProject, openApi } from '../../../support/api.ts';
import { openWebhooks } from './open-webhooks.ts';

const { ground, webhooks, call } = await openWebhooks();

test('an endpoint’s secret is shown when it is made and when it is rotated, and never again', async () => {
  const { key } = await makeProject(ground, 'secrets');
  const made = await call(key, 'post', '/endpoints')
    .send({ url: 'https://example.com/a', event_types: ['test', 'test'] })
    .expect(201);
  expect(made.body).toMatchObject({ url: 'https://example.com/a', enabled: true, event_types: ['test'] });
  expect(Buffer.from(made.body.secret.replace('whsec_', ''), 'base64')).toHaveLength(32);
  const rotated = await call(key, 'post', `/endpoints/${made.body.id}/rotate-secret`).expect(200);
  expect(rotated.body.secret).not.toBe(made.body.secret);
  const seen = [
    await call(key, 'get', '/endpoints').expect(200),
    await call(key, 'get', `/endpoints/${made.body.id}`).expect(200),
    await call(key, 'patch', `/endpoints/${made.body.id}`).send({ description: 'x' }).expect(200),
  ];
  expect(JSON.stringify(seen.map(({ body }) => body))).not.toContain('whsec_');
});

test('an endpoint takes no event of a product that is off, when it is made and when it is changed', async () => {
  const { key } = await makeProject(ground, 'products');
  const told = eventTypesOf(new Set());
  const ofNone = openApi(ground, webhookRoutes({ webhooks, told, urlFault: () => null }));
  onTestFinished(() => ofNone.close());
  const ask = (method: 'post' | 'patch', path: string, body: object) =>
    request(ofNone.app)
      [method](`/webhooks/endpoints${path}`)
      .set('Authorization', `Bearer ${key}`)
      .send(body);
  const url = 'https://example.com/a';
  await ask('post', '', { url, event_types: ['broadcast.finished'] }).expect(400);
  const made = await ask('post', '', { url, event_types: ['endpoint.disabled'] }).expect(201);
  await ask('patch', `/${made.body.id}`, { event_types: ['broadcast.finished'] }).expect(400);
});

test('a project’s own secret is the same until it is rotated', async () => {
  const { key } = await makeProject(ground, 'own-secret');
  const asked = await Promise.all(Array.from({ length: 5 }, () => call(key, 'get', '/secret').expect(200)));
  expect(new Set(asked.map(({ body }) => body.secret)).size).toBe(1);
  const rotated = await call(key, 'post', '/secret/rotate').expect(200);
  expect(rotated.body.earlier_until).not.toBeNull();
  expect((await call(key, 'get', '/secret').expect(200)).body.secret).toBe(rotated.body.secret);
});

test('a project sees and changes its own endpoints alone, and a key needs the scope', async () => {
  const { project, key } = await makeProject(ground, 'mine');
  const { key: theirs } = await makeProject(ground, 'theirs');
  const { body } = await call(key, 'post', '/endpoints').send({ url: 'https://example.com/' }).expect(201);
  const path = `/endpoints/${body.id}`;
  await call(theirs, 'get', path).expect(404);
  await call(theirs, 'patch', path).send({ enabled: false }).expect(404);
  await call(theirs, 'delete', path).expect(404);
  await call(theirs, 'post', `${path}/rotate-secret`).expect(404);
  await call(theirs, 'post', `${path}/test`).send({}).expect(404);
  expect((await call(theirs, 'get', '/endpoints').expect(200)).body.data).toEqual([]);
  const { key: without } = await makeKey(ground, project.id, { scopes: ['otp', 'jobs'] });
  await call(without, 'get', '/endpoints').expect(403);
  await call(key, 'delete', path).expect(204);
  await call(key, 'get', path).expect(404);
});

test('a URL that may lead inside, or is none, is refused by name', async () => {
  const { key } = await makeProject(ground, 'urls');
  for (const url of [
    'http://example.com/',
    'https://10.0.0.1/',
    'https://[::1]/',
    'https://a:b@example.com/',
    'x',
  ]) {
    const { body } = await call(key, 'post', '/endpoints').send({ url }).expect(400);
    expect(body.errors, url).toMatchObject([{ pointer: '/url' }]);
  }
  const made = await call(key, 'post', '/endpoints').send({ url: 'https://example.com/' }).expect(201);
  await call(key, 'patch', `/endpoints/${made.body.id}`).send({ url: 'https://127.0.0.1/' }).expect(400);
});

test('a project has a bounded number of endpoints, also when twenty are asked for at once', async () => {
  const { key } = await makeProject(ground, 'crowd');
  const asked = Array.from({ length: 20 }, () =>
    call(key, 'post', '/endpoints').send({ url: 'https://example.com/' }),
  );
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(ENDPOINTS_MAX);
  expect(statuses.filter((status) => status === 409)).toHaveLength(20 - ENDPOINTS_MAX);
});
