import { Redis } from 'ioredis';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineRoute } from '../../../apps/http/route.ts';
import { limitCodes } from '../../../apps/http/rate-limit.ts';
import {
  APP_ADDRESS_REQUESTS_PER_MINUTE,
  appAddressLimit,
  CODES_PER_ADDRESS_PER_HOUR,
} from '../../../domain/project/quota.ts';
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

/** As if so many had been counted already, by another process. */
async function counted(subject: string, total: number, windowSeconds = 60): Promise<void> {
  const redis = new Redis(ground.redisUrl);
  const key = `limit:${subject}`;
  await redis.hset(key, { ends: Date.now() + windowSeconds * 1_000, total });
  await redis.expire(key, windowSeconds);
  await redis.quit();
}

describe('with a key that every copy of an app holds', () => {
  async function appKey(slug: string, requestsPerMinute: number) {
    const { project, key: secret } = await makeProject(ground, slug, {
      requests_per_minute: requestsPerMinute,
    });
    const { key, keyId } = await makeKey(ground, project.id, { access: 'publishable' });
    return { project, key, keyId, secret };
  }

  test('an address is limited far below the key; a service is not below its own limit', async () => {
    const { project, key, secret } = await appKey('app', 1_000_000);
    await counted(`address:60:${project.id}:127.0.0.1`, APP_ADDRESS_REQUESTS_PER_MINUTE - 1);
    await get(key).expect(200);
    const refused = await get(key).expect(429);
    expect(refused.body['violated-policies']).toEqual(['address']);
    await get(secret).expect(200);
  });

  test("one address's flood leaves the key's limit to everybody else", async () => {
    const { key, keyId } = await appKey('flooded', 100);
    const answers = await Promise.all(Array.from({ length: 150 }, () => get(key)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(appAddressLimit(100));
    const redis = new Redis(ground.redisUrl);
    // What was counted while Redis was late is told a moment later.
    await expect.poll(() => redis.hget(`limit:key:60:${keyId}`, 'total'), { timeout: 20_000 }).toBe('10');
    await redis.quit();
  });

  test.for([
    ['2001:db8:7:100::/64', '2001:db8:7:100::9', 1],
    ['2001:db8:7:100::/56', '2001:db8:7:142::9', 2],
    ['2001:db8:7::/48', '2001:db8:7:ff42::9', 4],
  ] as const)('of IPv6 %s is limited as one, for %s too', async ([net, address, times]) => {
    const { project, key } = await appKey(`v6-${times}`, 6_000);
    await counted(`address:60:${project.id}:${net}`, times * appAddressLimit(6_000));
    const behind = openApi(ground, [open], [], undefined, { proxies: 1 });
    await behind.connected;
    const refused = await get(key, behind).set('X-Forwarded-For', address).expect(429);
    expect(refused.body['violated-policies']).toEqual(['address']);
    await get(key, behind).set('X-Forwarded-For', '2001:db8:8::9').expect(200);
    await behind.close();
  });

  test('the limit of a key that may little is shared by 25 addresses, twenty of them never use it up, and one person can sign in', () => {
    expect([5, 60, 500, 6_000, 1_000_000].map(appAddressLimit)).toEqual([10, 10, 20, 240, 600]);
    for (const perKey of [500, 6_000, 12_000, 1_000_000])
      expect(20 * appAddressLimit(perKey)).toBeLessThanOrEqual(0.8 * perKey);
  });
});

describe('codes that anybody may ask for', () => {
  const getCode = (key: string, { app }: Pick<TestApi, 'app'> = api) =>
    request(app).get('/codes').set('X-Api-Key', key);

  async function appKey(slug: string) {
    const { project, key: secret } = await makeProject(ground, slug);
    const { key, keyId } = await makeKey(ground, project.id, { access: 'publishable' });
    return { project, key, keyId, secret };
  }
  const passed = (answers: { status: number }[]) => answers.filter(({ status }) => status === 200).length;

  test('are counted by the hour, exactly, over two processes, and beside the limits of a minute', async () => {
    const { project, key, secret } = await appKey('codes');
    const second = openApi(ground, [open, codes]);
    await second.connected;
    const first = await getCode(key).expect(200);
    expect(first.headers['ratelimit-policy']).toBe(
      '"address";q=240;w=60, "key";q=6000;w=60, "codes";q=30;w=3600',
    );
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

  test('are counted under nothing that many addresses share: strangers would fill it, and nobody could sign in', async () => {
    const { key } = await appKey('many-addresses');
    const told = await getCode(key).expect(200);
    const counts = String(told.headers['ratelimit-policy']).split(', ');
    expect(counts.filter((policy) => policy.endsWith(';w=3600'))).toEqual(['"codes";q=30;w=3600']);
  });

  test('are not sent while Redis is away: what protects them can not be counted', async () => {
    const lone = openApi({ ...ground, redisUrl: 'redis://127.0.0.1:9' }, [open, codes]);
    const { key, secret } = await appKey('lone-codes');
    const refused = await getCode(key, lone).expect(503);
    expect(refused.body).toMatchObject({ type: expect.stringMatching(/limit-uncounted$/) });
    expect(refused.headers['retry-after']).toBe('1');
    // What needs no such count goes on.
    await get(key, lone).expect(200);
    await getCode(secret, lone).expect(200);
    await lone.close();
  });
});

test('without Redis nobody is refused, and each process still counts', async () => {
  const lone = openApi({ ...ground, redisUrl: 'redis://127.0.0.1:9' }, [open]);
  const { key } = await makeProject(ground, 'lone', { requests_per_minute: 20 });
  await get(key, lone).expect(200);
  for (let n = 2; n <= 20; n++) await get(key, lone).expect(200);
  await get(key, lone).expect(429);
  expect(lone.limits()).toBe('local');
  await lone.close();
});
