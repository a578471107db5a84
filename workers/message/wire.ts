import type { PushWork, TelegramWork } from '../../domain/message/broadcast/work.ts';
import { push } from '../../domain/message/push/job.ts';
import { telegramMessage } from '../../domain/message/telegram/job.ts';
import type { Pool } from 'pg';
import { notices } from '../../infra/postgres/identity/approval/notices.ts';
import { jobStore } from '../../infra/postgres/job/attempts.ts';
import { broadcastIntake } from '../../infra/postgres/message/broadcast/intake.ts';
import { foldTallies } from '../../infra/postgres/message/broadcast/broadcasts.ts';
import { deadTokens, pushJobs, telegramJobs } from '../../infra/postgres/message/broadcast/message-jobs.ts';
import { messageSettle } from '../../infra/postgres/message/settle.ts';
import { telegramChats } from '../../infra/postgres/telegram/chats.ts';
import { preferencesLinks } from '../../infra/postgres/message/preferences/links.ts';
import type { WantedDeps } from '../../infra/postgres/message/preferences/wanted.ts';
import type { ConfigOf } from '../../infra/process/config.ts';
import { keyedHash, rowEncryption } from '../../infra/process/crypto.ts';
import { tellJobs } from '../../infra/process/tell-jobs.ts';
import { TICK_MS } from '../../infra/process/ticks.ts';
import { pushFromConfig } from '../../infra/providers/message/from-config.ts';
import { singleWake } from '../engine/single.ts';
import { missing, whole, type WiredWorkers, type Worker, workerPool, type WorkerPlatform } from '../wire.ts';
import { announcer } from './notifier.ts';
import { lastLook } from './last-look.ts';
import { pruneDeadToken, wantedPushes } from './push.ts';
import { closeDeadChat, telegramMessages } from './telegram-message.ts';

export const wireMessage = (platform: WorkerPlatform): WiredWorkers => ({
  workers: {
    'telegram-message': () => telegramWorker(platform),
    push: () => pushWorker(platform),
  },
  ticks: (pool) => ({
    announce: announcerOf(platform, pool),
    broadcasts: async () => {
      const finished = await foldTallies(pool, platform.clock());
      if (finished > 0) platform.log.info({ finished }, 'broadcasts');
      return TICK_MS;
    },
  }),
});

/** What people are told on their own devices and chats, as messages of Navbat's own project. */
function announcerOf({ configOf, clock: now }: WorkerPlatform, pool: Pool) {
  const { PEPPER, ENCRYPTION_KEYS } = configOf('reconciler');
  const hash = keyedHash(PEPPER);
  const intake = broadcastIntake({ pool, hash, encryption: rowEncryption(ENCRYPTION_KEYS), now });
  return announcer({ notices: notices(pool), intake, now });
}

async function telegramWorker({ configOf, bot: botOf, clock: now, log }: WorkerPlatform): Promise<Worker> {
  const config = configOf('telegram-message');
  const bot = await botOf(config);
  const pool = workerPool(config);
  const read = telegramJobs(pool, wanted(config, now));
  const sender = bot ? telegramMessages(bot, lastLook(read, now)) : missing<TelegramWork>('telegram');
  const provider = whole('telegram-message', sender, now);
  const wake = singleWake({
    definition: telegramMessage,
    now,
    random: Math.random,
    read,
    store: jobStore(pool, now, messageSettle),
    providerOf: () => provider,
    afterReply: closeDeadChat(telegramChats(pool), now),
    ...tellJobs(log, 'telegram-message'),
  });
  return { wake, close: () => pool.end() };
}

/** What people want, and the link to their page in what they are sent. */
const wanted = (
  { PEPPER, PUBLIC_URL }: Pick<ConfigOf<'PEPPER' | 'PUBLIC_URL'>, 'PEPPER' | 'PUBLIC_URL'>,
  now: () => Date,
): WantedDeps => ({ now, links: preferencesLinks(keyedHash(PEPPER), PUBLIC_URL) });

async function pushWorker({ configOf, clock: now, log }: WorkerPlatform): Promise<Worker> {
  const config = configOf('push');
  const encryption = rowEncryption(config.ENCRYPTION_KEYS);
  const pool = workerPool(config);
  const read = pushJobs(pool, encryption, wanted(config, now));
  const fcm = await pushFromConfig(config);
  const sender = fcm ? wantedPushes(fcm, lastLook(read, now)) : missing<PushWork>('push');
  const provider = whole('push', sender, now);
  const wake = singleWake({
    definition: push,
    now,
    random: Math.random,
    read,
    store: jobStore(pool, now, messageSettle),
    providerOf: () => provider,
    afterReply: pruneDeadToken(deadTokens(pool, encryption)),
    ...tellJobs(log, 'push'),
  });
  return { wake, close: () => pool.end() };
}
