import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { createApp } from '../../../apps/http/app.ts';
import { otpRoutes } from '../../../apps/api/verify/otp.routes.ts';
import { createHttpServer } from '../../../apps/http/server.ts';
import type { OtpIntake } from '../../../domain/verify/intake.ts';
import type { VerificationId, JobId } from '../../../domain/shared/ids.ts';
import { codeOf } from '../../../infra/verify/codes.ts';
import { type Config, readConfig } from '../../../infra/process/config.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import { failedAttemptLimiter } from '../../../infra/limits/failed-attempt-limiter.ts';
import { limitConnection, quotaCounter } from '../../../infra/limits/quota-counter.ts';
import { openLog } from '../../../infra/process/log.ts';
import { httpSeconds } from '../../../infra/process/metrics.ts';
import { keyDirectory } from '../../../infra/postgres/project/key-directory.ts';
import { otpChecks } from '../../../infra/postgres/verify/checks.ts';
import { verifications } from '../../../infra/postgres/verify/verifications.ts';
import { serve } from '../support/http-servers.ts';

/** As many as the api has for its reads. */
const READ_CONNECTIONS_MAX = 4;

/** The api's own app and route, key check and limits and all, whose intake is one `queue.add`: nothing is committed, and nothing is idempotent. */
await serve(async () => {
  const config = readConfig(process.env);
  const log = openLog('queue-api', config.LOG_LEVEL);
  const pool = new Pool({ connectionString: config.DATABASE_URL, max: READ_CONNECTIONS_MAX });
  const redis = new Redis(config.REDIS_URL, limitConnection);
  const queue = new Queue('queued', { connection: { url: config.REDIS_URL } });
  const keys = keyDirectory(pool, keyedHash(config.PEPPER), (err) =>
    log.warn({ err }, 'uses of keys were not written'),
  );
  const app = createApp({
    keys,
    persons: { read: async () => ({ kind: 'forged' }) },
    moneyProject: null,
    staff: null,
    counter: quotaCounter(redis),
    clock: () => new Date(),
    log,
    proxies: 0,
    observe: ({ method, route, status, seconds }) => httpSeconds.observe({ method, route, status }, seconds),
    routes: otpRoutes({ ...restOf(config, pool, redis), intake: queueIntake(queue) }),
    routers: [],
  });
  const close = async () => {
    await queue.close();
    await keys.close();
    await pool.end();
    redis.disconnect();
  };
  return { server: createHttpServer(app), close };
});

/** In place of facts, decision and commit. */
function queueIntake(queue: Queue): OtpIntake {
  return {
    accept: async ({ caller, command, destination }) => {
      const now = new Date();
      const jobId = uuidv7({ msecs: now.getTime() }) as JobId;
      const id = uuidv7({ msecs: now.getTime() }) as VerificationId;
      await queue.add('otp-send', { id, project: caller.projectId, destination, command }, { jobId });
      const expiresAt = new Date(now.getTime() + command.ttlSeconds * 1_000).toISOString();
      return {
        kind: 'accepted',
        id,
        jobId,
        resend: false,
        channels: command.channels,
        expiresAt,
        number: null,
        replayed: false,
      };
    },
  };
}

/** What the other routes ask for; no request of a bench reaches them. */
function restOf(config: Config, pool: Pool, redis: Redis) {
  const now = () => new Date();
  const code = codeOf(config.CODE_KEYS);
  const hash = keyedHash(config.PEPPER);
  return {
    checks: otpChecks({
      pool,
      hash,
      encryption: rowEncryption(config.ENCRYPTION_KEYS),
      codeOf: code,
      codeKid: config.CODE_KEYS.current,
      now,
    }),
    verifications: verifications(pool, now),
    failures: failedAttemptLimiter(redis),
    phoneOf: async () => undefined,
    urlFault: () => null,
    codeOf: code,
  };
}
