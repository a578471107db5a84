import { Logger, run } from 'graphile-worker';
import { workOff } from '../support/worker-process.ts';

/** From its page on performance: a batch fetched ahead, completions gathered, and 25 connections. */
const LOCAL_QUEUE = 500;
const BATCH_DELAY_MS = 0;
const CONNECTIONS_MAX = 25;

const insertResult = 'insert into bench_result (job_id, number, outcome, at) values ($1, $2, $3, now())';

/** graphile-worker with the settings that it recommends for speed; each job writes one row of its result. */
await workOff(async ({ done, concurrency }) => {
  const runner = await run({
    noHandleSignals: true,
    logger: new Logger(() => () => undefined),
    preset: {
      worker: {
        connectionString: process.env['DATABASE_URL'] ?? '',
        concurrentJobs: concurrency,
        maxPoolSize: CONNECTIONS_MAX,
        localQueue: { size: LOCAL_QUEUE },
        completeJobBatchDelay: BATCH_DELAY_MS,
        failJobBatchDelay: BATCH_DELAY_MS,
      },
    },
    taskList: {
      result: async (payload, helpers) => {
        const { n } = payload as { n: number };
        await helpers.query(insertResult, [helpers.job.id, n, 'completed']);
        done();
      },
    },
  });
  return () => runner.stop();
});
