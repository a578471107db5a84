import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { webhookRoutes } from '../../../../apps/api/webhook/webhooks.routes.ts';
import { eventTypes } from '../../../../domain/events.ts';
import { rowEncryption } from '../../../../infra/process/crypto.ts';
import { webhookStore } from '../../../../infra/postgres/webhook/webhooks.ts';
import { urlFault } from '../../../../infra/webhook/url-fault.ts';
import { type Ground, makeProject, openApi, openGround, type TestApi } from '../../../support/api.ts';

const ring = { current: 'test', keys: new Map([['test', Buffer.alloc(32, 7)]]) };

let ground: Ground;
let api: TestApi;

beforeAll(async () => {
  ground = await openGround();
  const webhooks = webhookStore(ground.orm.em, ground.pool, rowEncryption(ring));
  api = openApi(
    ground,
    webhookRoutes({ webhooks, told: eventTypes, urlFault: urlFault({ allowPrivate: false }) }),
  );
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const call = (key: string, method: 'get' | 'post' | 'patch' | 'delete', path: string) =>
  request(api.app)[method](`/webhooks${path}`).set('Authorization', `Bearer ${key}`);

test('a replay is counted before it is ordered, and its range is bounded', async () => {
  const { key } = await makeProject(ground, 'replay');
  const range = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' };
  const counted = await call(key, 'post', '/replay')
    .send({ ...range, dry_run: true })
    .expect(200);
  expect(counted.body).toEqual({ dry_run: true, events: 0, calls: 0 });
  await call(key, 'post', '/replay').send(range).expect(202);
  await call(key, 'post', '/replay').send({ from: range.to, to: range.from }).expect(400);
  await call(key, 'post', '/replay')
    .send({ ...range, to: '2026-04-02T00:00:00Z' })
    .expect(400);
  const endpoint_id = '00000000-0000-7000-8000-000000000000';
  await call(key, 'post', '/replay')
    .send({ ...range, endpoint_id })
    .expect(404);
  await call(key, 'post', `/events/${endpoint_id}/replay`).send({}).expect(404);
});
