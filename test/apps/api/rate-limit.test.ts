import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineRoute } from '../../../apps/api/route.ts';
import { limitCodes } from '../../../apps/api/rate-limit.ts';
import { ADDRESS_REQUESTS_PER_MINUTE, CODES_PER_ADDRESS_PER_HOUR } from '../../../domain/project/quota.ts';
import { LIMIT_TIMEOUT_MS, limitConnection, quotaCounter } from '../../../infra/http/quota-counter.ts';
import { type Ground, makeKey, makeProject, openApi, openGround, type TestApi } from '../../support/api.ts';

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

const codes = defineRoute({
  method: 'get',
  path: '/codes',
  tag: 'Test',
  summary: 'Sends a code',
  scope: 'public',
  testKeys: 'apart',
  answers: {},
  async handle(request) {
    await limitCodes(request);
    return { status: 200, body: {} };
  },
});

let ground: Ground;
let api: TestApi;

beforeAll(async () => {
  ground = await openGround();
  api = openApi(ground, [open, codes]);
  await api.connected;
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const get = (key: string, { app }: Pick<TestApi, 'app'> = api) =>
  request(app).get('/open').set('X-Api-Key', key);

test('the last request of the limit passes, the next is told when to come back', async () => {
  const { key } = await makeProject(ground, 'three', { requests_per_minute: 3 });
  await get(key).expect(200);
  const second = await get(key).expect(200);
  expect(second.headers['ratelimit-policy']).toContain('"key";q=3;w=60');
  expect(second.headers['ratelimit']).toMatch(/^"key";r=1;t=\d+$/);
  await get(key).expect(200);
  const refused = await get(key).expect(429);
  expect(refused.body).toMatchObject({ type: expect.stringMatching(/quota-exceeded$/), status: 429 });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
});

test('of a hundred at once exactly as many pass as the limit says, over two processes', async () => {
  const { key } = await makeProject(ground, 'sixty', { requests_per_minute: 60 });
  const second = openApi(ground, [open]);
  await second.connected;
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => get(key, n % 2 ? api : second)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(60);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(40);
  await second.close();
});

test("one project's flood from an address slows no other project at that address", async () => {
  const { key: flooding } = await makeProject(ground, 'flood', { requests_per_minute: 1 });
  const { key: calm } = await makeProject(ground, 'calm');
  await get(flooding).expect(200);
  await get(flooding).expect(429);
  await get(calm).expect(200);
});

test('an address is limited with a publishable key whatever the project may send; a service is not below its own limit', async () => {
  const { project, key: secret } = await makeProject(ground, 'app', { requests_per_minute: 1_000_000 });
  const { key: publishable } = await makeKey(ground, project.id, { access: 'publishable' });
  const redis = new Redis(ground.redisUrl);
  await get(publishable).expect(200);
  await redis.set(`limit:address:60:${project.id}:127.0.0.1`, ADDRESS_REQUESTS_PER_MINUTE - 1, 'EX', 60);
  await get(publishable).expect(200);
  const refused = await get(publishable).expect(429);
  expect(refused.body['violated-policies']).toEqual(['address']);
  await get(secret).expect(200);
  await redis.quit();
});

describe('codes that anybody may ask for', () => {
  const getCode = (key: string, { app }: Pick<TestApi, 'app'> = api) =>
    request(app).get('/codes').set('X-Api-Key', key);

  async function appKey(slug: string) {
    const { project, key: secret } = await makeProject(ground, slug);
    const { key } = await makeKey(ground, project.id, { access: 'publishable' });
    return { project, key, secret };
  }
  const passed = (answers: { status: number }[]) => answers.filter(({ status }) => status === 200).length;

  test('are counted by the hour, exactly, over two processes, and beside the limits of a minute', async () => {
    const { project, key, secret } = await appKey('codes');
    const second = openApi(ground, [open, codes]);
    await second.connected;
    const first = await getCode(key).expect(200);
    expect(first.headers['ratelimit-policy']).toMatch(/"key";q=6000;w=60, .*"codes";q=30;w=3600/);
    expect(first.headers['ratelimit']).toMatch(/^"codes";r=29;t=3600$/);
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => getCode(key, n % 2 ? api : second)),
    );
    expect(passed(answers)).toBe(CODES_PER_ADDRESS_PER_HOUR - 1);
    const refused = await getCode(key).expect(429);
    expect(refused.body).toMatchObject({
      type: expect.stringMatching(/quota-exceeded$/),
      detail: 'More than 30 requests an hour: for codes, from this address.',
      'violated-policies': ['codes'],
    });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3_500);
    const redis = new Redis(ground.redisUrl);
    expect(await redis.ttl(`limit:codes:3600:${project.id}:127.0.0.1`)).toBeGreaterThan(3_500);
    await redis.quit();
    // What is no code goes on, and so does a service, which calls for all its people from one address.
    await get(key).expect(200);
    for (let n = 0; n < 2 * CODES_PER_ADDRESS_PER_HOUR; n++) await getCode(secret).expect(200);
    await second.close();
  });

  test('are limited for each project apart', async () => {
    const [busy, calm] = [await appKey('busy'), await appKey('calm-app')];
    await Promise.all(Array.from({ length: 40 }, () => getCode(busy.key)));
    await getCode(busy.key).expect(429);
    await getCode(calm.key).expect(200);
  });

  test('are limited by each process alone while Redis is away', async () => {
    const lone = openApi({ ...ground, redisUrl: 'redis://127.0.0.1:9' }, [codes]);
    const { key } = await appKey('lone-codes');
    const answers = await Promise.all(Array.from({ length: 60 }, () => getCode(key, lone)));
    expect(passed(answers)).toBe(CODES_PER_ADDRESS_PER_HOUR);
    const refused = await getCode(key, lone).expect(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3_500);
    expect(lone.limits()).toBe('local');
    await lone.close();
  });
});

test('without Redis nobody is refused or kept waiting, and each process still counts', async () => {
  const lone = openApi({ ...ground, redisUrl: 'redis://127.0.0.1:9' }, [open]);
  const { key } = await makeProject(ground, 'lone', { requests_per_minute: 20 });
  await get(key, lone).expect(200);
  const startedMs = performance.now();
  for (let n = 2; n <= 20; n++) await get(key, lone).expect(200);
  expect((performance.now() - startedMs) / 19).toBeLessThan(LIMIT_TIMEOUT_MS);
  await get(key, lone).expect(429);
  expect(lone.limits()).toBe('local');
  await lone.close();
});

test('a Redis that hangs costs its time-out once, and counts are shared again once it answers', async () => {
  const proxy = await openProxy(new URL(ground.redisUrl));
  const hanging = openApi({ ...ground, redisUrl: proxy.url }, [open]);
  await hanging.connected;
  const { key } = await makeProject(ground, 'hanging');
  await get(key, hanging).expect(200);
  expect(hanging.limits()).toBe('shared');

  proxy.hang();
  const startedMs = performance.now();
  for (let n = 0; n < 50; n++) await get(key, hanging).expect(200);
  expect(performance.now() - startedMs).toBeLessThan(50 * LIMIT_TIMEOUT_MS);
  expect(hanging.limits()).toBe('local');

  proxy.resume();
  for (let tries = 0; tries < 50 && hanging.limits() === 'local'; tries++) await sleep(100);
  expect(hanging.limits()).toBe('shared');
  await hanging.close();
  proxy.close();
});

test('a process that stands still for a moment does not take Redis for gone', async () => {
  const redis = new Redis(ground.redisUrl, limitConnection);
  redis.on('error', () => undefined);
  await once(redis, 'ready');
  const counter = quotaCounter(redis);
  const quota = { name: 'key', subject: 'standing-still', limit: 1 } as const;
  const first = counter.take(quota);
  // The command is on its way, and its answer comes while nobody reads.
  await new Promise((resolve) => setImmediate(resolve));
  const until = performance.now() + 2 * LIMIT_TIMEOUT_MS;
  while (performance.now() < until);
  expect((await first).taken).toBe(1);
  expect(counter.state()).toBe('shared');
  counter.close();
  redis.disconnect();
});

/** Stands between a client and a server, and can stop passing anything on while it keeps the connections. */
async function openProxy(target: URL) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.on('data', (data) => far.write(data));
    far.on('data', (data) => near.write(data));
    near.on('close', () => far.destroy());
    if (hung) near.pause();
  });
  let hung = false;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  const each = (act: (socket: Socket) => void) => () => {
    hung = !hung;
    for (const socket of sockets) act(socket);
  };
  return {
    url: url.href,
    hang: each((socket) => socket.pause()),
    resume: each((socket) => socket.resume()),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
