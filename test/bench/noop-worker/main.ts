import { Worker } from 'bullmq';
import { workerRedis } from '../../../infra/queue/queues.ts';
import { workOff } from '../support/worker-process.ts';

/** BullMQ's own worker, with its own defaults, that does nothing with the same queue entries. */
await workOff(async ({ done, concurrency }) => {
  const connection = workerRedis(process.env['REDIS_URL'] ?? '', (error) => console.error(error));
  const worker = new Worker('otp-send', async () => undefined, {
    connection,
    prefix: '{otp-send}',
    concurrency,
  });
  worker.on('completed', done);
  worker.on('error', (error) => console.error(error));
  return async () => {
    await worker.close();
    connection.disconnect();
  };
});
