import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { jobs } from '../../../domain/jobs.ts';
import type { SchedulerQueries } from '../../../infra/postgres/job/scheduler.ts';
import { closeQueues, openQueues, producerRedis, queueOf } from '../../../infra/queue/queues.ts';
import { schedulerQueues } from '../../../infra/queue/scheduler-queues.ts';
import { freshRedis } from '../../support/servers.ts';

const now = new Date('2026-01-15T10:00:00Z');
const entries = Array.from({ length: 3 }, () => ({
  jobId: randomUUID() as string as JobId,
  kind: 'push',
  labels: { project: 'shop' },
  runAt: now,
}));

/** What Postgres answers, and what it is told. */
function turns(more: Partial<SchedulerQueries> = {}) {
  const published: string[] = [];
  const queries: SchedulerQueries = {
    round: async () => ({ outboxId: '7', entries, more: true, passed: false }),
    published: async (id) => void published.push(id),
    ...more,
  };
  return { queries, published };
}

async function openAt(url: string) {
  const queues = openQueues(
    producerRedis(url, () => undefined),
    jobs,
  );
  onTestFinished(() => closeQueues(queues));
  return queues;
}

test('what is scheduled is on its queue before its outbox row is called published, and counts as in hand', async () => {
  const queues = await openAt(await freshRedis());
  const { queries, published } = turns();
  const scheduler = schedulerQueues(queues, queries, () => now);
  expect(await scheduler.schedule('push', 10)).toEqual({ scheduled: 3, more: true, passed: false });
  expect(published).toEqual(['7']);
  expect(await scheduler.inHand('push')).toBe(3);
  // One that sleeps is in nobody's hand.
  await queueOf(queues, 'push').add('push', entries[0] as never, { delay: 60_000 });
  expect(await scheduler.inHand('push')).toBe(3);
});

test('what could not be published is left to the reconciler: its outbox row stays open', async () => {
  const queues = await openAt(await freshRedis());
  await queueOf(queues, 'push').waitUntilReady();
  queues.redis.disconnect();
  const { queries, published } = turns();
  await expect(schedulerQueues(queues, queries, () => now).schedule('push', 10)).rejects.toThrow(
    'enableOfflineQueue options is false',
  );
  expect(published).toEqual([]);
});
