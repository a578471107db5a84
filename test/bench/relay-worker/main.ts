import { Worker } from 'bullmq';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { JobId } from '../../../domain/shared/ids.ts';
import { otpSend } from '../../../domain/verify/job.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { telegramBot } from '../../../infra/providers/verify/telegram-bot.ts';
import { telegramClient } from '../../../infra/providers/telegram/telegram-client.ts';
import { workerRedis } from '../../../infra/queue/queues.ts';
import { runProcess } from '../../../infra/process/run.ts';

const Queued = z.object({ destination: z.object({ phone: z.string() }) });

/** What the `queue.add` of `queue-api` wakes: a BullMQ worker that calls the provider and records nothing. */
await runProcess(async () => {
  const config = readConfig(process.env);
  const { TELEGRAM_BOT_TOKEN: token = '', TELEGRAM_API_ROOT: apiRoot } = config;
  // Its turn is always now: this is what keeps no pace.
  const slots = { turn: async () => ({ kind: 'now' }) as const, freeze: async () => undefined };
  const channel = telegramBot(telegramClient({ token, apiRoot, slots }));
  const connection = workerRedis(config.REDIS_URL, (error) => console.error(error));
  const worker = new Worker(
    'queued',
    async ({ data }) => {
      const { phone } = Queued.parse(data).destination;
      const to = { phone, chatId: phone.slice(1), pushToken: null };
      const words = {
        code: '000000',
        text: 'Your code is 000000',
        title: 'Code',
        locale: 'en',
        ttlSeconds: 300,
      } as const;
      const reply = await channel.send(
        { jobId: uuidv7() as JobId, attempt: 1, to, ...words },
        AbortSignal.timeout(otpSend.attemptTimeoutMs),
      );
      if (reply.kind !== 'accepted') throw new Error(reply.kind);
    },
    { connection, concurrency: otpSend.concurrency },
  );
  worker.on('error', (error) => console.error(error));
  console.log('ready');
  return async () => {
    await worker.close();
    connection.disconnect();
  };
});
