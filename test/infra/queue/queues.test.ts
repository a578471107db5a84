import { expect, onTestFinished, test } from 'vitest';
import { jobs } from '../../../domain/jobs.ts';
import {
  closeQueues,
  isConnectionLoss,
  openQueues,
  producerRedis,
  queueOf,
} from '../../../infra/queue/queues.ts';
import { closedPort } from '../providers/support.ts';
import { freshRedis } from '../../support/servers.ts';

test('each kind has keys of its own, which share a slot of a cluster; an unknown kind is a bug', async () => {
  const queues = openQueues(
    producerRedis(await freshRedis(), () => undefined),
    jobs,
  );
  onTestFinished(() => closeQueues(queues));
  await queueOf(queues, 'push').add('push', {} as never, { jobId: 'j-1' });
  for (const key of await queues.redis.keys('*')) expect(key).toMatch(/^\{([\w-]+)\}:\1:/);
  expect(() => queueOf(queues, 'fax')).toThrow('no queue of the kind fax');
});

test('a producer whose Redis is away refuses at once, and says so once', async () => {
  const told: Error[] = [];
  const redis = producerRedis(`redis://127.0.0.1:${await closedPort()}`, (error) => void told.push(error));
  onTestFinished(() => redis.disconnect());
  await expect(redis.ping()).rejects.toThrow('enableOfflineQueue options is false');
  await expect.poll(() => told.length).toBe(1);
  // It is dialled again and again.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(told).toHaveLength(1);
  expect(isConnectionLoss(told[0] as Error)).toBe(true);
});

test('a refused command is no lost connection', () => {
  expect(isConnectionLoss(new Error('WRONGTYPE Operation against a key'))).toBe(false);
  expect(isConnectionLoss(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toBe(true);
});
