import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAILURES_MAX, type Guesser } from '../../../domain/shared/failed-attempt-limiter.ts';
import { CountUnavailable } from '../../../domain/project/quota.ts';
import { failedAttemptLimiter } from '../../../infra/limits/failed-attempt-limiter.ts';
import { limitConnection } from '../../../infra/limits/quota-counter.ts';
import { openLateProxy } from '../../chaos/support/late-proxy.ts';
import { freshRedis } from '../../support/servers.ts';

let redis: Redis;
let gate: ReturnType<typeof failedAttemptLimiter>;

beforeAll(async () => {
  redis = new Redis(await freshRedis(), limitConnection);
  await new Promise((resolve) => redis.once('ready', resolve));
  gate = failedAttemptLimiter(redis);
});
afterAll(() => {
  gate.close();
  redis.disconnect();
});

const from = (subject: string, given: Partial<Guesser> = {}): Guesser => ({
  clients: [{ subject, times: 1 }],
  keyId: null,
  projectId: 'p',
  ...given,
});
const guess = (guesser: Guesser, times: number) =>
  Promise.all(Array.from({ length: times }, () => gate.enter(guesser)));
const passed = (waits: readonly (number | null)[]) => waits.filter((wait) => wait === null).length;

test('of a hundred guesses sent at once no more than the limit are looked at', async () => {
  expect(passed(await guess(from('at-once'), 100))).toBe(FAILURES_MAX.client);
});

test('what was right is not counted', async () => {
  for (let n = 0; n < 2 * FAILURES_MAX.client; n++) {
    expect(await gate.enter(from('honest'))).toBeNull();
    gate.forgive(from('honest'));
  }
});

test('strangers with a key that every copy of an app holds block each their own address, however many they are', async () => {
  const strangers = Array.from({ length: 400 }, (_, n) => from(`stranger-${n}`));
  for (const stranger of strangers) await guess(stranger, FAILURES_MAX.client);
  expect(await gate.enter(strangers[0] as Guesser)).toBeGreaterThan(0);
  expect(await gate.enter(from('neighbour'))).toBeNull();
});

test('who is blocked does not use up the limit of the service that asks for them', async () => {
  const guesser = from('persistent', { keyId: 'k', projectId: 'q' });
  await guess(guesser, 1_000);
  await expect.poll(() => redis.hget('limit:failures-key:k', 'total')).toBe(String(FAILURES_MAX.client));
});

test(
  'a guess that Redis could not count in time takes back no other guess',
  { timeout: 20_000 },
  async () => {
    const url = await freshRedis();
    const proxy = await openLateProxy(url);
    const late = new Redis(proxy.url, limitConnection);
    late.on('error', () => undefined);
    await new Promise((resolve) => late.once('ready', resolve));
    const lone = failedAttemptLimiter(late);
    const guesser = from('late', { keyId: 'late', projectId: 'late' });
    for (let n = 0; n < 5; n++) await lone.enter(guesser);
    proxy.delay(3_000);
    const refused = await Promise.allSettled([lone.enter(guesser), lone.enter(guesser)]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    proxy.delay(0);
    // The guess that is counted once more states what this process has: five before, and this one.
    await expect.poll(() => lone.enter(guesser).catch(() => 'refused'), { timeout: 10_000 }).toBeNull();
    const totals = await Promise.all(
      ['client:late:late', 'key:late', 'project:late'].map((name) =>
        late.hget(`limit:failures-${name}`, 'total'),
      ),
    );
    expect(totals).toEqual(['6', '6', '6']);
    lone.close();
    late.disconnect();
    proxy.close();
  },
);

test('nothing is checked where the shared count can not be had', async () => {
  const away = new Redis('redis://127.0.0.1:9', { ...limitConnection, retryStrategy: () => null });
  away.on('error', () => undefined);
  const lone = failedAttemptLimiter(away);
  await expect(lone.enter(from('lone'))).rejects.toBeInstanceOf(CountUnavailable);
  lone.close();
  away.disconnect();
});
