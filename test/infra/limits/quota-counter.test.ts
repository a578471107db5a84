import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { CountUnavailable, type Quota } from '../../../domain/project/quota.ts';
import { limitConnection, quotaCounter } from '../../../infra/limits/quota-counter.ts';
import { closedPort } from '../providers/support.ts';
import { freshRedis } from '../../support/servers.ts';

async function counterAt(url: string) {
  const redis = new Redis(url, limitConnection);
  redis.on('error', () => undefined);
  const counter = quotaCounter(redis);
  onTestFinished(() => {
    counter.close();
    redis.disconnect();
  });
  return { counter, ready: () => new Promise((resolve) => redis.once('ready', resolve)) };
}

const quota = (name: Quota['name'], subject: string, limit: number): Quota => ({ name, subject, limit });
const takenOf = async (taking: ReturnType<ReturnType<typeof quotaCounter>['take']>) =>
  (await taking).map(({ taken }) => taken);

test('a request that one limit refuses counts against none of those behind it', async () => {
  const url = await freshRedis();
  const [one, other] = [await counterAt(url), await counterAt(url)];
  await Promise.all([one.ready(), other.ready()]);
  const narrow = quota('address', 'a', 1);
  const wide = quota('key', 'k', 100);
  expect(await takenOf(one.counter.take([narrow, wide]))).toEqual([1, 1]);
  // The other process learns only from Redis that the first limit is used up, and gives its count of the second back.
  expect(await takenOf(other.counter.take([narrow, wide]))).toEqual([2]);
  expect(await takenOf(one.counter.take([narrow, wide]))).toEqual([2]);
  expect(await takenOf(one.counter.take([wide]))).toEqual([2]);
});

test('without Redis a limit that fails closed refuses and counts nothing, and the others go on alone', async () => {
  const { counter } = await counterAt(`redis://127.0.0.1:${await closedPort()}`);
  const open = quota('key', 'k', 2);
  await expect(
    counter.take([open, { ...quota('codes', 'c', 30), failsClosed: true }]),
  ).rejects.toBeInstanceOf(CountUnavailable);
  expect(await takenOf(counter.take([open]))).toEqual([1]);
  expect(counter.state()).toBe('local');
});
