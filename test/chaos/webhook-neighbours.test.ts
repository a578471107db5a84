import { expect, onTestFinished, test } from 'vitest';
import { webhook } from '../../domain/webhook/job.ts';
import { schedulerQueries } from '../../infra/postgres/job/scheduler.ts';
import { startQueueWorker } from '../../infra/queue/queue-worker.ts';
import { closeQueues, openQueues, producerRedis, workerRedis } from '../../infra/queue/queues.ts';
import { schedulerQueues } from '../../infra/queue/scheduler-queues.ts';
import { scheduler, scheduledQueues } from '../../workers/engine/scheduler.ts';
import { until } from '../support/navbat.ts';
import { freshRedis } from '../support/servers.ts';
import { silence, startReceiver } from '../support/webhook-receiver.ts';
import { webhookBench } from '../workers/webhook/bench.ts';
import { jobs } from '../../domain/jobs.ts';
import { linesOf } from '../../infra/postgres/settles.ts';

/** Twice what the queue may have in hand: without concurrency limits, they would fill it for the whole time-out. */
const DEAD_EVENTS = 1_600;
const WELL_EVENTS = 60;
/** Every other event of the healthy project is at its receiver by then; the dead one's time-out is fifteen seconds. */
const P99_MS_MAX = 3_000;

test('one project’s dead endpoint slows nobody: another project’s callbacks arrive as ever', async () => {
  const bench = await webhookBench({ now: () => new Date() });
  const [dead, well] = [await startReceiver(), await startReceiver()];
  dead.answer(silence);
  const [slow, quick] = [await bench.addProject(), await bench.addProject()];
  await bench.addEndpoint(slow, dead.url);
  await bench.addEndpoint(quick, well.url);
  const queue = await runQueue(bench);

  await bench.emit(slow, DEAD_EVENTS);
  await until(async () => dead.received.length >= 4);
  const emittedAt: number[] = [];
  for (let n = 0; n < WELL_EVENTS; n++) {
    emittedAt.push(performance.now());
    await bench.emit(quick, 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await until(async () => well.received.length >= WELL_EVENTS);
  const waitedMs = well.received.map(({ at }, n) => at - (emittedAt[n] ?? 0)).toSorted((a, b) => a - b);
  expect(waitedMs.at(Math.ceil(WELL_EVENTS * 0.99) - 1)).toBeLessThan(P99_MS_MAX);
  // The dead one holds its four places and no more.
  expect(dead.received.length).toBeLessThanOrEqual(8);
  expect(queue.surprises).toEqual([]);
}, 60_000);

/** What `workers/main.ts` runs for this kind: the queue and its scheduler, over a real Redis. */
async function runQueue(bench: Awaited<ReturnType<typeof webhookBench>>) {
  const redisUrl = await freshRedis();
  const queues = openQueues(
    producerRedis(redisUrl, () => undefined),
    jobs,
  );
  const connection = workerRedis(redisUrl, () => undefined);
  const surprises: Error[] = [];
  const queue = startQueueWorker({
    kind: 'webhook',
    wake: bench.wake,
    concurrency: webhook.concurrency,
    connection,
    onSurprise: (error) => surprises.push(error),
    onError: () => undefined,
  });
  const now = () => new Date();
  const turns = scheduler(
    scheduledQueues({ webhook }, {}),
    schedulerQueues(queues, schedulerQueries(bench.pool, jobs, linesOf({ chatGapMs: 0 })), now),
  );
  let stopped = false;
  const scheduling = (async () => {
    while (!stopped) {
      await turns();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  onTestFinished(async () => {
    stopped = true;
    await scheduling;
    await queue.drain(0);
    connection.disconnect();
    await closeQueues(queues);
  });
  return { surprises };
}
