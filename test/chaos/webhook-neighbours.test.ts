import { expect, onTestFinished, test } from 'vitest';
import { webhook } from '../../domain/webhook/job.ts';
import { release } from '../../infra/postgres/job/scheduler.ts';
import { startLane } from '../../infra/queue/queue-worker.ts';
import { closeQueues, openQueues, producerRedis, workerRedis } from '../../infra/queue/queues.ts';
import { releaseQueues } from '../../infra/queue/scheduler-queues.ts';
import { releaser, scheduledQueues } from '../../workers/engine/scheduler.ts';
import { until } from '../support/navbat.ts';
import { freshRedis } from '../support/servers.ts';
import { silence, startReceiver } from '../support/webhook-receiver.ts';
import { webhookBench } from '../workers/webhook/bench.ts';
import { jobs } from '../../domain/jobs.ts';
import { linesOf } from '../../infra/postgres/settles.ts';

/** Twice what the lane may have in hand: without bulkheads, they would fill it for the whole time-out. */
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
  const lane = await runLane(bench);

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
  expect(lane.surprises).toEqual([]);
}, 60_000);

/** What `workers/main.ts` runs for this kind: the lane and its releaser, over a real Redis. */
async function runLane(bench: Awaited<ReturnType<typeof webhookBench>>) {
  const redisUrl = await freshRedis();
  const queues = openQueues(
    producerRedis(redisUrl, () => undefined),
    jobs,
  );
  const connection = workerRedis(redisUrl, () => undefined);
  const surprises: Error[] = [];
  const lane = startLane({
    kind: 'webhook',
    wake: bench.wake,
    concurrency: webhook.concurrency,
    connection,
    onSurprise: (error) => surprises.push(error),
    onError: () => undefined,
  });
  const now = () => new Date();
  const turns = releaser(
    scheduledQueues({ webhook }, {}),
    releaseQueues(queues, release(bench.pool, jobs, linesOf({ chatGapMs: 0 })), now),
  );
  let stopped = false;
  const releasing = (async () => {
    while (!stopped) {
      await turns();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  onTestFinished(async () => {
    stopped = true;
    await releasing;
    await lane.drain(0);
    connection.disconnect();
    await closeQueues(queues);
  });
  return { surprises };
}
