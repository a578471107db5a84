import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineRoute } from '../../../apps/http/route.ts';
import { type Ground, makeProject, openApi, openGround, type TestApi } from '../../support/api.ts';

const open = defineRoute({
  method: 'get',
  path: '/open',
  tag: 'Test',
  summary: 'Answers',
  scope: 'public',
  testKeys: 'apart',
  answers: {},
  handle: async () => ({ status: 200, body: {} }),
});

let ground: Ground;

beforeAll(async () => {
  ground = await openGround();
});
afterAll(async () => {
  await ground.close();
});

const get = (key: string, { app }: TestApi) => request(app).get('/open').set('X-Api-Key', key);

test('a Redis that hangs keeps one request waiting and not each, and counts are shared again once it answers', async () => {
  const proxy = await openProxy(new URL(ground.redisUrl));
  const hanging = openApi({ ...ground, redisUrl: proxy.url }, [open]);
  await hanging.connected;
  const { key } = await makeProject(ground, 'hanging');
  await get(key, hanging).expect(200);
  expect(hanging.limits()).toBe('shared');

  proxy.hang();
  const before = proxy.asked();
  for (let n = 0; n < 50; n++) await get(key, hanging).expect(200);
  // The first, and a probe now and then: on a slow machine these requests take seconds.
  expect(proxy.asked() - before).toBeLessThan(25);
  expect(hanging.limits()).toBe('local');

  proxy.resume();
  for (let tries = 0; tries < 50 && hanging.limits() === 'local'; tries++) await sleep(100);
  expect(hanging.limits()).toBe('shared');
  await hanging.close();
  proxy.close();
});

/** Stands between a client and a server; can keep back what the client asks, and counts how often it asked. */
async function openProxy(target: URL) {
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  let hung = false;
  let asked = 0;
  const server: Server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.on('data', (data) => {
      asked++;
      if (hung) held.push(() => far.write(data));
      else far.write(data);
    });
    far.on('data', (data) => near.write(data));
    near.on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    asked: () => asked,
    hang: () => {
      hung = true;
    },
    resume: () => {
      hung = false;
      for (const pass of held.splice(0)) pass();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
