import { pino } from 'pino';
import type { CodeChannel } from '../../../domain/verify/port.ts';
import { codeOf } from '../../../infra/verify/codes.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { rowEncryption } from '../../../infra/process/crypto.ts';
import { openLog } from '../../../infra/process/log.ts';
import { tellJobs } from '../../../infra/process/tell-jobs.ts';
import { jobStore } from '../../../infra/postgres/job/attempts.ts';
import { hotPool } from '../../../infra/postgres/engine/hot-pool.ts';
import { otpJobs } from '../../../infra/postgres/verify/otp-jobs.ts';
import { paidAttempts } from '../../../infra/postgres/verify/paid-attempts.ts';
import { textModeration } from '../../../infra/postgres/verify/text-moderation.ts';
import { telegramChats } from '../../../infra/postgres/telegram/chats.ts';
import { projectCache } from '../../../infra/postgres/project/cache.ts';
import { guard } from '../../../infra/providers/provider-guard.ts';
import { startQueueWorker } from '../../../infra/queue/queue-worker.ts';
import { workerRedis } from '../../../infra/queue/queues.ts';
import { otpSendWake } from '../../../workers/verify/otp-send.ts';
import { workOff } from '../support/worker-process.ts';
import { smsRoutingOf } from '../../../infra/providers/verify/sms-routing.ts';
import { settles } from '../../../infra/postgres/settles.ts';

/** As in `workers/main.ts`, which this is wired after. */
const CONNECTIONS_MAX = 8;
const PROVIDER_SHARE = 0.25;
const DRAIN_GRACE_MS = 5_000;

/** A provider that takes every message at once: what is left is our own work. */
const noProvider: CodeChannel = {
  channel: 'telegram',
  provider: 'bench',
  send: async () => ({ kind: 'accepted', reference: '1', cost: null }),
};

/** The queue of `otp-send` as `workers/main.ts` wires it, log lines and metrics and all; the log goes where nothing is kept. */
await workOff(async ({ done, concurrency }) => {
  const config = readConfig(process.env);
  const log = openLog('queue-worker', config.LOG_LEVEL, pino.destination({ dest: '/dev/null', sync: true }));
  const pool = hotPool(config.DATABASE_URL, CONNECTIONS_MAX);
  const now = () => new Date();
  const inFlightMax = Math.floor(concurrency * PROVIDER_SHARE);
  const told = tellJobs(log, 'otp-send');
  const wake = otpSendWake({
    jobs: otpJobs(pool, rowEncryption(config.ENCRYPTION_KEYS)),
    store: jobStore(pool, now, settles['otp-send']),
    paid: paidAttempts(pool, now),
    chats: telegramChats(pool),
    legs: new Map([['telegram', guard(noProvider, { inFlightMax, clock: now })]]),
    sms: smsRoutingOf(config),
    smsScores: null,
    moderation: textModeration(pool, now),
    ownApp: null,
    project: projectCache(pool),
    purposeTexts: new Map(),
    codeOf: codeOf(config.CODE_KEYS),
    now,
    random: Math.random,
    onAttempt: told.onAttempt,
    onFinished: (state) => {
      told.onFinished(state);
      done();
    },
  });
  const onError = (error: Error) => console.error(error);
  const connection = workerRedis(config.REDIS_URL, onError);
  const queue = startQueueWorker({
    kind: 'otp-send',
    wake,
    concurrency,
    connection,
    onSurprise: onError,
    onError,
  });
  return async () => {
    await queue.drain(DRAIN_GRACE_MS);
    connection.disconnect();
    await pool.end();
  };
});
