import { isFinal } from '../../../domain/job/job.ts';
import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { JobId } from '../../../domain/shared/ids.ts';
import type { AttemptOutcome, JobState } from '../../../domain/job/job.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';

/** Rows as the intake and the workers leave them, for tests of what staff see. */

export interface SeedJob {
  readonly project: string;
  readonly state?: JobState;
  readonly reason?: string | null;
  readonly at?: Date;
  readonly phone?: string;
  readonly channels?: readonly string[];
  /** State of the verification that it serves. */
  readonly verification?: 'live' | 'approved' | 'expired';
  readonly runAt?: Date;
  readonly attempts?: readonly SeedAttempt[];
}

export interface SeedAttempt {
  readonly channel: string;
  readonly provider: string;
  readonly outcome: AttemptOutcome | null;
  readonly reason?: string | null;
  readonly reference?: string | null;
  readonly delivery?: string | null;
  readonly deliveryReason?: string | null;
}

const LIFE_MS = 300_000;

export async function seedProject(
  pool: Pool,
  slug: string,
  { id = uuidv7(), now = new Date() } = {},
): Promise<string> {
  await pool.query('insert into project (id, slug, created_at) values ($1, $2, $3)', [id, slug, now]);
  return id;
}

export async function seedJob(
  pool: Pool,
  projectId: string,
  addressHash: Buffer,
  seed: SeedJob,
): Promise<{ id: JobId; verificationId: string }> {
  const { state = 'queued', reason = null, at = new Date(), phone = '+998901234567' } = seed;
  const { verification = 'live', channels = ['push', 'sms'], attempts = [] } = seed;
  const id = JobId.parse(uuidv7({ msecs: at.getTime() }));
  const verificationId = uuidv7({ msecs: at.getTime() });
  const isFinished = isFinal(state);
  const finishedAt = isFinished ? new Date(at.getTime() + 1_200 * (attempts.length + 1)) : null;
  const expiresAt = new Date(at.getTime() + LIFE_MS);
  await pool.query(
    `insert into verification (id, project_id, address_hash, phone, purpose, mode, state, code_kid, code_length, checks_max,
       check_by_to, channels, locale, job_id, ttl_seconds, created_at, sent_at, expires_at, closed_at)
     values ($1, $2, $3, $4, $5, 'live', $6, 'k1', 6, 5, false, $7, 'uz', $8, 300, $9, $9, $10, $11)`,
    [
      verificationId,
      projectId,
      addressHash,
      phone,
      `login-${randomBytes(3).toString('hex')}`,
      verification,
      channels,
      id,
      at,
      expiresAt,
      verification === 'live' ? null : new Date(at.getTime() + 20_000),
    ],
  );
  await pool.query(
    `insert into job (id, kind, project_id, subject_id, address_hash, state, reason, payload, labels, attempts, run_at,
       deadline_at, accepted_at, finished_at, request_id)
     values ($1, 'otp-send', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      id,
      projectId,
      verificationId,
      addressHash,
      state,
      reason,
      JSON.stringify({ verification_id: verificationId }),
      JSON.stringify({ project: seed.project, channels: channels.join(','), to: maskPhone(phone) }),
      attempts.length,
      seed.runAt ?? at,
      expiresAt,
      at,
      finishedAt,
      `req-${randomBytes(4).toString('hex')}`,
    ],
  );
  await seedAttempts(pool, id, projectId, at, attempts);
  return { id, verificationId };
}

async function seedAttempts(
  pool: Pool,
  id: JobId,
  projectId: string,
  at: Date,
  attempts: readonly SeedAttempt[],
): Promise<void> {
  for (const [index, attempt] of attempts.entries()) {
    const openedAt = new Date(at.getTime() + 40 + index * 1_100);
    const closedAt = attempt.outcome === null ? null : new Date(openedAt.getTime() + 180 + index * 90);
    await pool.query(
      `insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome, reason, provider_reference,
         cost_micros, cost_currency, latency_ms, delivery, delivery_reason, delivery_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
      [
        id,
        index + 1,
        projectId,
        attempt.channel,
        attempt.provider,
        openedAt,
        closedAt,
        attempt.outcome,
        attempt.reason ?? null,
        attempt.reference ?? null,
        attempt.channel === 'sms' ? 52_000 : null,
        attempt.channel === 'sms' ? 'USD' : null,
        closedAt ? 180 + index * 90 : null,
        attempt.delivery ?? null,
        attempt.deliveryReason ?? null,
        attempt.delivery ? new Date(openedAt.getTime() + 2_500) : null,
      ],
    );
  }
}
