import { isFinal, type JobState } from '../../../domain/job/job.ts';
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import type { JobId, ProjectId } from '../../../domain/shared/ids.ts';
import { webhook } from '../../../domain/webhook/job.ts';
import type { EndpointView } from '../../../domain/webhook/endpoint.ts';
import type { WebhookOwner } from '../../../domain/webhook/port.ts';
import { rowEncryption } from '../../../infra/process/crypto.ts';
import { jobStore } from '../../../infra/postgres/job/attempts.ts';
import { hotPool } from '../../../infra/postgres/engine/hot-pool.ts';
import { openOrm } from '../../../infra/postgres/engine/orm.ts';
import { webhookJobs } from '../../../infra/postgres/webhook/jobs.ts';
import { webhookStore } from '../../../infra/postgres/webhook/webhooks.ts';
import { webhookCaller } from '../../../infra/webhook/call.ts';
import { systemResolve } from '../../../infra/webhook/resolve.ts';
import { signWebhook } from '../../../infra/webhook/sign.ts';
import { webhookTargets } from '../../../infra/webhook/targets.ts';
import { singleWake } from '../../../workers/engine/single.ts';
import { webhookCalls } from '../../../workers/webhook/webhook.ts';
import { freshDatabase } from '../../support/servers.ts';
import { settles } from '../../../infra/postgres/settles.ts';

const ring = { current: 'test', keys: new Map([['test', Buffer.alloc(32, 7)]]) };

export interface JobRow {
  readonly id: JobId;
  readonly state: JobState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly run_at: Date;
  readonly payload: { event_id: string; endpoint_id: string | null };
}

/** The parts that `workers/main.ts` joins, with a real Postgres and real sockets; time and wake-ups are in a test's hand. */
export async function webhookBench(
  options: { attemptTimeoutMs?: number; random?: () => number; now?: () => Date } = {},
) {
  const { url: databaseUrl, ownerUrl } = await freshDatabase();
  const orm = await openOrm(databaseUrl);
  const pool = hotPool(databaseUrl, 8);
  const owner = hotPool(ownerUrl, 1);
  const encryption = rowEncryption(ring);
  const clock = { now: new Date() };
  const now = options.now ?? (() => clock.now);
  const webhooks = webhookStore(orm.em, pool, encryption);
  const jobs = webhookJobs(pool, encryption, now);
  const caller = webhookCaller({
    rules: { allowPrivate: true },
    resolve: systemResolve(),
    isAllowed: () => true,
  });
  const calls = webhookCalls({
    call: caller.call,
    sign: signWebhook,
    record: jobs.record,
    now,
    signedAt: now,
  });
  const wake = singleWake({
    read: jobs.read,
    store: jobStore(pool, now, settles.webhook),
    providerOf: webhookTargets(calls.provider, now),
    afterReply: (_job, work) => calls.recorded(work),
    definition: { ...webhook, attemptTimeoutMs: options.attemptTimeoutMs ?? webhook.attemptTimeoutMs },
    now,
    random: options.random ?? (() => 0),
    onAttempt: () => undefined,
    onFinished: () => undefined,
  });
  onTestFinished(async () => {
    await caller.close();
    await Promise.all([pool.end(), owner.end()]);
    await orm.close(true);
  });

  const addProject = async (mode: WebhookOwner['mode'] = 'live'): Promise<WebhookOwner> => {
    const id = randomUUID();
    await pool.query('insert into project (id, slug, created_at) values ($1, $2, now())', [
      id,
      `p-${id.slice(0, 8)}`,
    ]);
    return { projectId: id as ProjectId, mode };
  };
  const addEndpoint = async (
    project: WebhookOwner,
    url: string,
    types: EndpointView['eventTypes'] = null,
  ) => {
    const order = { url, description: null, event_types: types as never };
    const made = await webhooks.create(project, order, clock.now);
    if (!made) throw new Error('too many endpoints');
    return { ...made, id: made.endpoint.id };
  };
  /** A live verification with the job of its code, as the intake leaves them. */
  const addVerification = async (project: WebhookOwner, callbackUrl: string | null = null) => {
    const [id, jobId] = [randomUUID(), randomUUID()];
    await pool.query(insertVerification, [
      id,
      project.projectId,
      jobId,
      callbackUrl,
      clock.now,
      '+998901234567',
      project.mode,
    ]);
    await pool.query(insertCodeJob, [jobId, project.projectId, id, clock.now, project.mode]);
    return { id, jobId };
  };
  const approve = async (project: WebhookOwner, callbackUrl: string | null = null) => {
    const verification = await addVerification(project, callbackUrl);
    await pool.query(`update verification set state = 'approved', closed_at = $2 where id = $1`, [
      verification.id,
      clock.now,
    ]);
    return verification;
  };
  const jobRows = async (project: WebhookOwner): Promise<JobRow[]> =>
    (
      await pool.query<JobRow>(
        `select id, state, reason, attempts, run_at, payload from job where project_id = $1 and kind = 'webhook' order by id`,
        [project.projectId],
      )
    ).rows;
  /** Wakes what is due now, once. */
  const wakeDue = async (project: WebhookOwner) => {
    const due = (await jobRows(project)).filter(
      ({ state, run_at }) => !isFinal(state) && run_at <= clock.now,
    );
    return Promise.all(due.map(({ id }) => wake(id, new AbortController().signal)));
  };
  /** Events of messages that were sent, as their triggers write them. */
  const emit = async ({ projectId, mode }: WebhookOwner, count: number) => {
    await pool.query(
      `select webhook_emit($1::uuid, $2, 'message.sent', $1::uuid, now(), jsonb_build_object('id', $1::uuid, 'kind', 'push', 'broadcast_id', $1::uuid,
         'state', 'completed', 'reason', null, 'to', null, 'accepted_at', now(), 'finished_at', now()), null, null)
       from generate_series(1, $3)`,
      [projectId, mode, count],
    );
  };
  const forward = (ms: number) => {
    clock.now = new Date(clock.now.getTime() + ms);
  };
  return {
    pool,
    owner,
    encryption,
    webhooks,
    jobs,
    wake,
    clock,
    forward,
    emit,
    addProject,
    addEndpoint,
    addVerification,
    approve,
    jobRows,
    wakeDue,
  };
}

const insertVerification = `
insert into verification (id, project_id, address_hash, phone, purpose, mode, code_kid, code_length, checks_max, check_by_to, channels,
  locale, metadata, job_id, ttl_seconds, created_at, sent_at, expires_at, callback_url)
values ($1, $2, sha256(gen_random_uuid()::text::bytea), $6, 'login', $7, 'c1', 6, 5, false, '{sms}', 'uz', '{"order": "4711"}', $3, 300, $5, $5,
  $5::timestamptz + interval '5 minutes', $4)`;
const insertCodeJob = `
insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at, request_id, scheduled_at, mode)
values ($1, 'otp-send', $2, $3, '{}', '{"project": "p", "channels": "sms", "to": "+998•••••••67"}', $4, $4::timestamptz + interval '5 minutes',
  $4, 'request-1', $4, $5)`;

/** The one there is. */
export const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1);
  return list[0] as T;
};
