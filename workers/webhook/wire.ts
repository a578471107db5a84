import { webhook } from '../../domain/webhook/job.ts';
import { jobStore } from '../../infra/postgres/job/attempts.ts';
import { webhookJobs } from '../../infra/postgres/webhook/jobs.ts';
import { webhookSettle } from '../../infra/postgres/webhook/settle.ts';
import { worldClock } from '../../infra/process/clock.ts';
import { rowEncryption } from '../../infra/process/crypto.ts';
import { tellJobs } from '../../infra/process/tell-jobs.ts';
import { webhookCaller } from '../../infra/webhook/call.ts';
import { addressRule, systemResolve } from '../../infra/webhook/resolve.ts';
import { signWebhook } from '../../infra/webhook/sign.ts';
import { webhookTargets } from '../../infra/webhook/targets.ts';
import { singleWake } from '../engine/single.ts';
import { type WiredWorkers, type Worker, workerPool, type WorkerPlatform } from '../wire.ts';
import { webhookCalls } from './webhook.ts';

/** Nobody watches a callback, and the statements of 24 calls cost Postgres no more than twice those of one (6.7 ms and 3.3 ms). */
const WEBHOOK_GATHER_MS = { before: 10, after: 40 };

export const wireWebhook = (platform: WorkerPlatform): WiredWorkers => ({
  workers: { webhook: () => webhookWorker(platform) },
});

/** Each endpoint is a provider of its own: what guards it is made as it is met. */
function webhookWorker({ configOf, clock: now, log }: WorkerPlatform): Worker {
  const config = configOf('webhook');
  const pool = workerPool(config);
  const events = webhookJobs(pool, rowEncryption(config.ENCRYPTION_KEYS), now, WEBHOOK_GATHER_MS);
  const rules = { allowPrivate: config.WEBHOOK_ALLOW_PRIVATE };
  const { call, close } = webhookCaller({ rules, resolve: systemResolve(), isAllowed: addressRule(rules) });
  const calls = webhookCalls({
    call,
    sign: signWebhook,
    record: events.record,
    now,
    signedAt: worldClock,
  });
  const wake = singleWake({
    definition: webhook,
    now,
    random: Math.random,
    read: events.read,
    store: jobStore(pool, now, webhookSettle, WEBHOOK_GATHER_MS),
    providerOf: webhookTargets(calls.provider, now),
    afterReply: (_job, work) => calls.recorded(work),
    ...tellJobs(log, 'webhook'),
  });
  return {
    wake,
    close: async () => {
      await Promise.all([close(), pool.end()]);
    },
  };
}
