import { randomBytes } from 'node:crypto';
import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recipientRoutes } from '../../../../apps/api/identity/recipients.routes.ts';
import { rowEncryption } from '../../../../infra/process/crypto.ts';
import { recipientStore } from '../../../../infra/postgres/identity/recipient/recipients.ts';
import { type Ground, makeProject, openApi, openGround, type TestApi } from '../../../support/api.ts';

let ground: Ground;
let api: TestApi;

beforeAll(async () => {
  ground = await openGround();
  const encryption = rowEncryption({ current: 'k1', keys: new Map([['k1', randomBytes(32)]]) });
  const { hash, orm } = ground;
  const recipients = recipientStore(orm.em, { keyedHash: hash, encryption });
  api = openApi(ground, recipientRoutes(recipients));
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const call = (key: string, method: 'put' | 'delete', path: string) =>
  request(api.app)[method](path).set('Authorization', `Bearer ${key}`);

test('rows of a project that are people: one more is refused, one that is there may change', async () => {
  const { project, key } = await makeProject(ground, 'people');
  await ground.projects.changeCeilings(project.id, { people: 2 });
  const put = (handle: string, more: object = {}) =>
    call(key, 'put', '/recipients').send({ handle, telegram_chat_id: handle.charCodeAt(0), ...more });
  await put('a').expect(201);
  await put('b').expect(201);
  const { body } = await put('c').expect(429);
  expect(body).toMatchObject({ ceiling: 'people', limit: 2, used: 2 });
  const { body: a } = await put('a', { locale: 'ru' }).expect(200);
  await call(key, 'delete', `/recipients/${a.id}`).expect(204);
  await put('c').expect(201);
});
