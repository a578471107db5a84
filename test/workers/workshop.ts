import { randomBytes } from 'node:crypto';
import { routingWith } from '../infra/postgres/verify/sms-routing.ts';
import { onTestFinished } from 'vitest';
import type { JobId, ProjectId } from '../../domain/shared/ids.ts';
import type { JobStore } from '../../domain/job/store.ts';
import type { Wake } from '../../domain/job/wake.ts';
import { channels as allChannels } from '../../domain/verify/channel.ts';
import type { CodeChannel } from '../../domain/verify/port.ts';
import { parsePhone } from '../../domain/shared/phone.ts';
import { ProjectSettings } from '../../domain/settings.ts';
import { codeOf, numberOf } from '../../infra/verify/codes.ts';
import { keyedHash, rowEncryption } from '../../infra/process/crypto.ts';
import { jobStore } from '../../infra/postgres/job/attempts.ts';
import { hotPool } from '../../infra/postgres/engine/hot-pool.ts';
import { otpIntake } from '../../infra/postgres/verify/intake.ts';
import { otpJobs } from '../../infra/postgres/verify/otp-jobs.ts';
import { paidAttempts } from '../../infra/postgres/verify/paid-attempts.ts';
import { textModeration } from '../../infra/postgres/verify/text-moderation.ts';
import { telegramChats } from '../../infra/postgres/telegram/chats.ts';
import { projectCache } from '../../infra/postgres/project/cache.ts';
import { reconcilerQueries } from '../../infra/postgres/job/reconciler.ts';
import { guard } from '../../infra/providers/provider-guard.ts';
import { twilioSms } from '../../infra/providers/verify/twilio-sms.ts';
import { queueOutbox } from '../../infra/queue/outbox.ts';
import { closeQueues, openQueues, producerRedis } from '../../infra/queue/queues.ts';
import { reconcilerRedis } from '../../infra/queue/reconciler-redis.ts';
import { otpSendWake } from '../../workers/verify/otp-send.ts';
import { reconciler } from '../../workers/engine/reconciler.ts';
import { phoneAt } from '../chaos/support/destinations.ts';
import { makeProject } from '../chaos/support/project.ts';
import { ACCOUNT, AUTH_TOKEN, freshSandbox, SENDER } from '../apps/sandbox/support.ts';
import { freshDatabase, freshRedis } from '../support/servers.ts';
import { jobs } from '../../domain/jobs.ts';
import { settles } from '../../infra/postgres/settles.ts';
import { retentions } from '../../infra/postgres/retentions.ts';
import { ownSend } from '../../domain/verify/send-command.ts';

const ring = { current: 'test', keys: new Map([['test', Buffer.alloc(32, 7)]]) };
const IN_FLIGHT_MAX = 100;
const REPORT_URL_NOBODY_LISTENS_AT = 'http://127.0.0.1:9';

export interface AttemptRow {
  readonly n: number;
  readonly outcome: string | null;
  readonly reason: string | null;
}

/** The parts that `workers/main.ts` joins, with a real Postgres, a real Redis and the sandbox, each step in a test's hand. */
export async function workshop(redisUrl?: string) {
  const { url: databaseUrl, ownerUrl } = await freshDatabase();
  const sandbox = await freshSandbox();
  const pepper = randomBytes(32).toString('base64url');
  const project = await makeProject(databaseUrl, pepper, 'workshop');
  const pool = hotPool(databaseUrl, 8);
  const owner = hotPool(ownerUrl, 1);
  const queues = openQueues(
    producerRedis(redisUrl ?? (await freshRedis()), () => undefined),
    jobs,
  );
  onTestFinished(async () => {
    await closeQueues(queues);
    await Promise.all([pool.end(), owner.end()]);
  });

  /** Moved forward by hand. */
  const clock = { aheadMs: 0 };
  const now = () => new Date(Date.now() + clock.aheadMs);
  const store = jobStore(pool, now, settles['otp-send']);
  const sms = twilioSms({
    accountSid: ACCOUNT,
    authToken: AUTH_TOKEN,
    from: SENDER,
    apiUrl: sandbox.url,
    statusCallbackUrl: () => REPORT_URL_NOBODY_LISTENS_AT,
  });

  /** A worker of its own: its provider guards and its batches are nobody else's. */
  const worker = (change: { store?: Partial<JobStore>; channel?: CodeChannel } = {}): Wake => {
    const channel = change.channel ?? sms;
    return otpSendWake({
      jobs: otpJobs(pool, rowEncryption(ring)),
      store: { ...jobStore(pool, now, settles['otp-send']), ...change.store },
      paid: paidAttempts(pool, now),
      chats: telegramChats(pool),
      legs: new Map([['twilio', guard(channel, { inFlightMax: IN_FLIGHT_MAX, clock: now })]]),
      sms: routingWith('twilio'),
      smsScores: null,
      moderation: textModeration(pool, now),
      ownApp: null,
      project: projectCache(pool),
      purposeTexts: new Map(),
      codeOf: codeOf(ring),
      now,
      random: () => 0,
      onAttempt: () => undefined,
      onFinished: () => undefined,
    });
  };
  const outbox = queueOutbox(queues, now);
  const settings = ProjectSettings.parse({ sms_daily_budget_micros: Number.MAX_SAFE_INTEGER });
  let phones = 0;

  /** Commits so many sends. With `publish: false`, the process ends between the commit and the publishing. */
  const accept = async (count: number, { publish = true } = {}): Promise<JobId[]> => {
    const intake = otpIntake({
      pool,
      hash: keyedHash(pepper),
      codeKid: ring.current,
      numberOf: numberOf(ring),
      providers: new Set(allChannels),
      sms: routingWith('twilio'),
      now,
      outbox: publish ? outbox : { publish: () => undefined, takePublished: () => [] },
    });
    const answers = await Promise.all(
      Array.from({ length: count }, () => {
        const phone = parsePhone(phoneAt(phones++));
        if (!phone) throw new Error('no such phone');
        const command = ownSend({ phone, mode: 'live', channels: ['sms'], purpose: 'verify' });
        return intake.accept({
          caller: { projectId: project.id as ProjectId, slug: 'workshop', settings },
          command,
          asker: { kind: 'service' },
          destination: { phone: phone.e164 },
          idempotency: null,
          requestId: 'test',
        });
      }),
    );
    await outbox.idle();
    return answers.map((answer) => {
      if (answer.kind !== 'accepted') throw new Error(answer.kind);
      return answer.jobId;
    });
  };

  const queries = reconcilerQueries(pool, { jobs, settles, retentions });
  /** A reconciler process of its own. */
  const newReconciler = () => {
    const keep = { jobDays: 30, phoneDays: 7 };
    return reconciler(
      { ...queries, ...reconcilerRedis(queues), retire: (at) => queries.retire(at, keep) },
      now,
    );
  };
  const jobOf = async (id: JobId) => {
    const { rows } = await pool.query<{ state: string; reason: string | null; attempts: number }>(
      'select state, reason, attempts from job where id = $1',
      [id],
    );
    return rows[0];
  };
  const attemptsOf = async (id: JobId): Promise<AttemptRow[]> => {
    const sql = 'select n, outcome, reason from attempt where job_id = $1 order by n';
    return (await pool.query<AttemptRow>(sql, [id])).rows;
  };
  return {
    pool,
    owner,
    queues,
    sandbox,
    project,
    clock,
    now,
    store,
    sms,
    worker,
    accept,
    newReconciler,
    jobOf,
    attemptsOf,
  };
}

export type Workshop = Awaited<ReturnType<typeof workshop>>;

/** As staff do it, where nobody tells the queue. */
export const pause = (pool: Workshop['pool']) =>
  pool.query(`insert into queue (kind, paused_at) values ('otp-send', now())
    on conflict (kind) do update set paused_at = now()`);
export const resume = (pool: Workshop['pool']) => pool.query('update queue set paused_at = null');

/** A channel that stops in front of the provider until it is let go: what a frozen process looks like from outside. */
export function gated(channel: CodeChannel): CodeChannel & { arrived: Promise<void>; open: () => void } {
  const [arrived, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  return {
    ...channel,
    arrived: arrived.promise,
    open: opened.resolve,
    async send(message, signal) {
      arrived.resolve();
      await opened.promise;
      return channel.send(message, signal);
    },
  };
}
