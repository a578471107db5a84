import type pg from 'pg';
import { jobs } from '../../../domain/jobs.ts';
import type { JobId, ProjectId } from '../../../domain/shared/ids.ts';
import type { Channel } from '../../../domain/verify/channel.ts';
import type { SmsChoice, SmsProvider } from '../../../domain/verify/sms-provider.ts';
import type { OtpJob, OtpJobs } from '../../../domain/verify/otp-job.ts';
import type { PastAttempt } from '../../../domain/verify/step.ts';
import type { Encryption } from '../../process/crypto.ts';
import { batcher } from '../engine/batcher.ts';
import { forgetPushToken, pushTokenOrNone } from '../identity/recipient/push-tokens.ts';
import { isTrusted } from '../../../domain/verify/send-command.ts';
import { type VerificationRow, toVerification } from './verification-row.ts';
import type { CodeEndReason } from '../../../domain/verify/reasons.ts';

const BATCH_MAX = 500;
const BATCHES_IN_FLIGHT_MAX = 2;

interface OtpJobRow extends VerificationRow {
  readonly job: JobId;
  readonly job_finished: boolean;
  readonly job_state: OtpJob['state'];
  readonly job_reason: CodeEndReason | null;
  readonly queue_paused: boolean;
  readonly attempts: number;
  readonly run_at: Date;
  readonly payload: unknown;
  readonly request_id: string | null;
  readonly recipient: string | null;
  readonly chat_id: string | null;
  readonly push_token_encrypted: Buffer | null;
  readonly past: readonly AttemptJson[] | null;
  readonly sms_used_before: readonly SmsProvider[] | null;
}
interface AttemptJson {
  readonly n: number;
  readonly channel: Channel;
  readonly provider: string;
  readonly outcome: PastAttempt['outcome'];
  readonly reason: CodeEndReason | null;
  readonly retry_after_ms: number | null;
  readonly opened_at: string;
  readonly closed_at: string | null;
  readonly delivery: PastAttempt['delivery'];
  readonly chosen: SmsChoice | null;
}

/** Reads what a wake-up of `otp-send` needs, for all jobs that wake together. */
export function otpJobs(pool: pg.Pool, encryption: Encryption): OtpJobs {
  const read = batcher({
    name: 'read',
    sizeMax: BATCH_MAX,
    inFlightMax: BATCHES_IN_FLIGHT_MAX,
    run: async (ids: readonly JobId[]) => {
      const { rows } = await pool.query<OtpJobRow>({
        name: 'read-otp-jobs',
        text: readOtpJobs,
        values: [ids],
      });
      const found = new Map(rows.map((row) => [row.job, row]));
      return ids.map((id) => {
        const row = found.get(id);
        return row ? toOtpJob(row, encryption) : null;
      });
    },
  });
  return {
    read,
    forgetPushToken: (recipientId, pushToken) =>
      forgetPushToken({ pool, encryption }, recipientId, pushToken),
  };
}

/**
 * The recipient that was asked for, as long as it has the address: a number that is moved to another one meanwhile takes no code along.
 * Past attempts are read only where there are any, and those of earlier sends where there were any: most jobs need one. The pause is asked for once a statement.
 */
const readOtpJobs = `
select v.*, j.id job, j.finished_at is not null job_finished, j.state job_state, j.reason job_reason,
  exists (select from queue where kind = 'otp-send' and paused_at is not null) queue_paused, j.attempts, j.run_at, j.payload,
  j.request_id, r.id recipient, r.push_token_encrypted, case when r.telegram_blocked_at is null then r.telegram_chat_id::text end chat_id,
  case when j.attempts > j.attempts_before then (
    select json_agg(json_build_object('n', a.n, 'channel', a.channel, 'provider', a.provider, 'outcome', a.outcome, 'reason', a.reason, 'retry_after_ms', a.retry_after_ms, 'opened_at', a.opened_at,
      'closed_at', a.closed_at, 'delivery', a.delivery, 'chosen', a.chosen) order by a.n) from attempt a
    where a.job_id = j.id and a.n > j.attempts_before) end past,
  case when v.sends > 1 then (
    select array_agg(distinct a.provider) from job k join attempt a on a.job_id = k.id
    where k.subject_id = v.id and k.id < j.id and a.channel = 'sms' and a.outcome in ('completed', 'unknown')) end sms_used_before
from job j
join verification v on v.id = j.subject_id
left join recipient r on r.id = v.recipient_id and r.address_hash = v.address_hash
where j.id = any($1) and j.kind = 'otp-send'`;

function toOtpJob(row: OtpJobRow, encryption: Encryption): OtpJob {
  const past = row.past ?? [];
  const open = past.find(({ outcome }) => outcome === null);
  return {
    id: row.job,
    projectId: row.project_id as ProjectId,
    paused: row.queue_paused,
    finished: row.job_finished,
    state: row.job_state,
    reason: row.job_reason,
    attemptsMade: row.attempts,
    runAt: row.run_at,
    requestId: row.request_id,
    payload: jobs['otp-send'].payload.safeParse(row.payload).data ?? null,
    verification: toVerification(row),
    askedBy: row.asked_known ? 'known' : row.asked_by,
    addressHash: row.address_hash,
    scored: { prefix: row.phone_prefix, ip: row.scored_ip, device: row.scored_device },
    isTrusted: isTrusted(row.client),
    recipientId: row.recipient,
    addresses: {
      phone: row.phone,
      chatId: row.chat_id,
      pushToken:
        row.push_token_encrypted && row.recipient
          ? pushTokenOrNone(encryption, row.push_token_encrypted, row.recipient)
          : null,
    },
    openSince: open ? new Date(open.opened_at) : null,
    smsUsedBefore: new Set(row.sms_used_before),
    past: past.map(toPast),
  };
}

function toPast({
  opened_at,
  closed_at,
  chosen,
  retry_after_ms: retryAfterMs,
  ...attempt
}: AttemptJson): PastAttempt {
  return {
    ...attempt,
    retryAfterMs,
    chosen: chosen ?? undefined,
    openedAt: new Date(opened_at),
    closedAt: closed_at === null ? null : new Date(closed_at),
  };
}
