import request from 'supertest';
import { afterAll, expect, test } from 'vitest';
import { defineOpenRoute, definePersonRoute, defineRoute } from '../../../apps/http/route.ts';
import { makeKey, makeProject, openApi, openGround } from '../../support/api.ts';

const shape = { method: 'get', tag: 'Test', summary: 'Answers', answers: {} } as const;
const handle = async () => ({ status: 200, body: {} });

const ground = await openGround();
const api = openApi(ground, [
  defineRoute({ ...shape, path: '/of-keys', scope: 'otp', testKeys: 'refused', handle }),
  definePersonRoute({ ...shape, path: '/of-persons', session: 'project', handle }),
  defineOpenRoute({ ...shape, path: '/of-anybody', because: 'a test', handle }),
]);
afterAll(async () => {
  await api.close();
  await ground.close();
});
const status = async (path: string, bearer?: string) => {
  const asked = request(api.app).get(path);
  return (await (bearer === undefined ? asked : asked.set('Authorization', `Bearer ${bearer}`))).status;
};

test('a route asks for what it was defined with: a key, a person, or nobody', async () => {
  const { key } = await makeProject(ground, 'shop');
  expect([await status('/of-keys'), await status('/of-persons'), await status('/of-anybody')]).toEqual([
    401, 401, 200,
  ]);
  expect([await status('/of-keys', key), await status('/of-persons', key)]).toEqual([200, 401]);
});

test('of a key it asks for its scope, and for a live one where it says so', async () => {
  const { project } = await makeProject(ground, 'taxi');
  const withKey = async (wish: Parameters<typeof makeKey>[2]) =>
    status('/of-keys', (await makeKey(ground, project.id, wish)).key);
  expect(await withKey({ scopes: ['otp'] })).toBe(200);
  expect(await withKey({ scopes: ['jobs'] })).toBe(403);
  expect(await withKey({ scopes: ['otp'], mode: 'test' })).toBe(403);
});
