import { type JobKind, jobKinds } from '../../../domain/jobs.ts';
import { EVENT_LIFE_DAYS } from '../../../domain/webhook/job.ts';

/** A message of a broadcast that was cancelled, or that nobody wants any more, must not be sent. */
const waitsForBroadcast = (now: string) => `(select expires_at from broadcast
     where broadcast.id = job.subject_id and state <> 'cancelled' and expires_at > ${now})`;

/**
 * SQL for the time until which a job's subject still waits for it; null where it waits no more: a code that has died or
 * was used must not be sent. A new kind does not compile until it says so.
 */
const waitsUntilOf = {
  'otp-send': (now) => `(select expires_at from verification
     where verification.id = job.subject_id and verification.job_id = job.id and state = 'live' and expires_at > ${now})`,
  'telegram-message': waitsForBroadcast,
  push: waitsForBroadcast,
  // An event of the past may always be told, where its endpoint is still there and enabled.
  webhook: (
    now,
  ) => `(select ${now}::timestamptz + interval '${EVENT_LIFE_DAYS} days' where job.payload ->> 'endpoint_id' is null or exists (
     select from webhook_endpoint e where e.id = (job.payload ->> 'endpoint_id')::uuid and e.disabled_at is null and e.deleted_at is null))`,
} satisfies Record<JobKind, (now: string) => string>;

export const waitsUntil = (now: string) =>
  `(case job.kind ${jobKinds.map((kind) => `when '${kind}' then ${waitsUntilOf[kind](now)}`).join(' ')} end)`;
