import type { AddressInfo } from 'node:net';
import request from 'supertest';
import { afterAll } from 'vitest';
import { z } from 'zod';
import { defineRoute } from '../../../apps/http/route.ts';
import { createHttpServer, listen } from '../../../apps/http/server.ts';
import { makeProject, openApi, openGround, type TestApi } from '../../support/api.ts';

export const echo = defineRoute({
  method: 'post',
  path: '/echo/{id}',
  tag: 'Test',
  summary: 'Says what it heard',
  scope: 'otp',
  testKeys: 'apart',
  idempotent: true,
  params: z.object({ id: z.string() }),
  query: z.object({ q: z.string().optional() }),
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

/** The intake with a route that says what it heard and one that fails inside, and a key of a project. */
export async function openEcho() {
  const ground = await openGround();
  const api = openApi(ground, [echo, broken]);
  const made = await makeProject(ground, 'demo');
  const { key } = made;
  afterAll(async () => {
    await api.close();
    await ground.close();
  });
  const post = (path = '/echo/1') => request(api.app).post(path).set('Authorization', `Bearer ${key}`);
  const postJson = (body: string) => post().set('Content-Type', 'application/json').send(body);
  return { ground, api, key, project: made.project.id, post, postJson };
}

/** `{"text":"xxx…"}` of this many bytes. */
export const bodyOf = (bytes: number) => `{"text":"${'x'.repeat(bytes - '{"text":""}'.length)}"}`;

/** The same behind our own server, with its limits. */
export async function listenWith({ app }: Pick<TestApi, 'app'>) {
  const server = createHttpServer(app);
  await listen(server, '127.0.0.1', 0);
  afterAll(() => void server.close());
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
