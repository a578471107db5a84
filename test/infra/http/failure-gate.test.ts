import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAILURES_MAX, type Guesser } from '../../../domain/otp/failure-gate.ts';
import { CountUnavailable } from '../../../domain/project/quota.ts';
import { failureGate } from '../../../infra/http/failure-gate.ts';
import { limitConnection } from '../../../infra/http/quota-counter.ts';
import { freshRedis } from '../../support/servers.ts';

let redis: Redis;
let gate: ReturnType<typeof failureGate>;

beforeAll(async () => {
  redis = new Redis(await freshRedis(), limitConnection);
  await new Promise((resolve) => redis.once('ready', resolve));
  gate = failureGate(redis);
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

test('nothing is checked where the shared count can not be had', async () => {
  const away = new Redis('redis://127.0.0.1:9', { ...limitConnection, retryStrategy: () => null });
  away.on('error', () => undefined);
  const lone = failureGate(away);
  await expect(lone.enter(from('lone'))).rejects.toBeInstanceOf(CountUnavailable);
  lone.close();
  away.disconnect();
});
