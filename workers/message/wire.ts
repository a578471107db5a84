import type { PushWork } from '../../domain/message/broadcast/work.ts';
import { push } from '../../domain/message/push/job.ts';
import { telegramMessage } from '../../domain/message/telegram/job.ts';
import { jobStore } from '../../infra/postgres/job/attempts.ts';
import { foldTallies } from '../../infra/postgres/message/broadcast/broadcasts.ts';
import { deadTokens, pushJobs, telegramJobs } from '../../infra/postgres/message/broadcast/message-jobs.ts';
import { messageSettle } from '../../infra/postgres/message/settle.ts';
import { reopenChats, telegramChats } from '../../infra/postgres/message/telegram/chats.ts';
import { rowEncryption } from '../../infra/process/crypto.ts';
import { tellJobs } from '../../infra/process/tell-jobs.ts';
import { TICK_MS } from '../../infra/process/ticks.ts';
import { pushFromConfig } from '../../infra/providers/message/from-config.ts';
import { singleWake } from '../engine/single.ts';
import { missing, whole, type WiredWorkers, type Worker, workerPool, type WorkerPlatform } from '../wire.ts';
import { pruneDeadToken } from './push.ts';
import { closeDeadChat, telegramMessages } from './telegram-message.ts';

export const wireMessage = (platform: WorkerPlatform): WiredWorkers => ({
  workers: {
    'telegram-message': () => telegramWorker(platform),
    push: () => pushWorker(platform),
  },
  ticks: (pool) => ({
    broadcasts: async () => {
      const finished = await foldTallies(pool, platform.clock());
      if (finished > 0) platform.log.info({ finished }, 'broadcasts');
      return TICK_MS;
    },
    chats: async () => {
      const reopened = await reopenChats(pool, platform.clock());
      if (reopened > 0) platform.log.info({ reopened }, 'chats');
      return TICK_MS;
    },
  }),
});

function telegramWorker({ configOf, bot, clock: now, log }: WorkerPlatform): Worker {
  const pool = workerPool(configOf('telegram-message'));
  const provider = whole('telegram-message', bot ? telegramMessages(bot) : missing('telegram'), now);
  const wake = singleWake({
    definition: telegramMessage,
    now,
    random: Math.random,
    read: telegramJobs(pool),
    store: jobStore(pool, now, messageSettle),
    providerOf: () => provider,
    afterReply: closeDeadChat(telegramChats(pool), now),
    ...tellJobs(log, 'telegram-message'),
  });
  return { wake, close: () => pool.end() };
}

async function pushWorker({ configOf, clock: now, log }: WorkerPlatform): Promise<Worker> {
  const config = configOf('push');
  const encryption = rowEncryption(config.ENCRYPTION_KEYS);
  const pool = workerPool(config);
  const provider = whole('push', (await pushFromConfig(config)) ?? missing<PushWork>('push'), now);
  const wake = singleWake({
    definition: push,
    now,
    random: Math.random,
    read: pushJobs(pool, encryption),
    store: jobStore(pool, now, messageSettle),
    providerOf: () => provider,
    afterReply: pruneDeadToken(deadTokens(pool, encryption)),
    ...tellJobs(log, 'push'),
  });
  return { wake, close: () => pool.end() };
}
