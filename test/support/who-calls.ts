import request from 'supertest';
import { afterAll } from 'vitest';
import { defineRoute } from '../../apps/http/route.ts';
import type { KeyScope } from '../../domain/project/key.ts';
import { openApi, openGround } from './api.ts';

const routeOf = (path: string, scope: KeyScope) =>
  defineRoute({
    method: 'get',
    path,
    tag: 'Test',
    summary: 'Says who calls',
    scope,
    testKeys: 'apart',
    answers: {},
    handle: async ({ caller }) => ({
      status: 200,
      body: { slug: caller.slug, mode: caller.mode, access: caller.access },
    }),
  });
export const routes = [routeOf('/service', 'otp'), routeOf('/open', 'public')];

/** An intake of this file's own that says who calls: on a route of services, and on one that publishable keys reach too. */
export async function openWhoCalls() {
  const ground = await openGround();
  const api = openApi(ground, routes);
  afterAll(async () => {
    await api.close();
    await ground.close();
  });
  const get = (key: string, path = '/service', app = api.app) =>
    request(app).get(path).set('Authorization', `Bearer ${key}`);
  return { ground, api, get };
}
