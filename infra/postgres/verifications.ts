import type pg from 'pg';
import type { StoryJob, Verifications } from '../../domain/otp/checks.ts';
import { otpSend } from '../../domain/otp/job.ts';
import { stateAt } from '../../domain/otp/verification.ts';
import { countFinished } from '../metrics.ts';
import { type VerificationRow, toVerification } from './verification-row.ts';

/** What the API tells and does of one verification, beside sending and checking. */
export function verifications(pool: pg.Pool, now: () => Date): Verifications {
  const find = async (projectId: string, mode: string, id: string) => {
    const { rows } = await pool.query<VerificationRow>(
      'select * from verification where id = $1 and project_id = $2 and mode = $3',
      [id, projectId, mode],
    );
    return rows[0] ?? null;
  };
  return {
    story: async (projectId, mode, id) => {
      const row = await find(projectId, mode, id);
      if (!row) return null;
      const { rows } = await pool.query<StoryJob>(storyJobs, [row.id]);
      const verification = { ...toVerification(row), state: stateAt(toVerification(row), now()) };
      return { verification, phone: row.phone, metadata: row.metadata, closedAt: row.closed_at, jobs: rows };
    },
    cancel: async (projectId, mode, id) => {
      const { rows } = await pool.query<{ stopped: number }>(cancelLive, [id, projectId, mode, now()]);
      countFinished(otpSend.kind, 'cancelled', rows[0]?.stopped ?? 0);
      if (rows[0]) return 'cancelled';
      return (await find(projectId, mode, id)) ? 'not-live' : 'unknown';
    },
    resendOf: async (projectId, mode, id) => {
      const row = await find(projectId, mode, id);
      if (!row) return null;
      const destination = row.phone === null ? { recipientId: row.recipient_id ?? '' } : { phone: row.phone };
      const verification = toVerification(row);
      return { id: verification.id, destination, verification, checkByTo: row.check_by_to };
    },
  };
}

/** A verification has a handful of sends, held by its limits; the bound is for the statement's sake. */
const storyJobs = `
select j.id, j.state, j.reason, j.accepted_at, j.finished_at, coalesce((
  select json_agg(json_build_object('n', a.n, 'channel', a.channel, 'provider', a.provider, 'outcome', a.outcome, 'reason', a.reason,
    'provider_reference', a.provider_reference, 'cost_micros', a.cost_micros::text, 'cost_currency', a.cost_currency,
    'latency_ms', a.latency_ms, 'delivery', a.delivery, 'delivery_reason', a.delivery_reason, 'delivery_at', a.delivery_at,
    'opened_at', a.opened_at, 'closed_at', a.closed_at) order by a.n)
  from attempt a where a.job_id = j.id), '[]') attempts
from job j where j.subject_id = $1 order by j.id limit 100`;

const cancelLive = `
with cancelled as (
  update verification set state = 'cancelled', closed_at = $4 where id = $1 and project_id = $2 and mode = $3 and state = 'live' and expires_at > $4
  returning job_id),
stopped as (
  update job j set state = 'cancelled', reason = 'verification-cancelled', finished_at = $4 from cancelled
  where j.id = cancelled.job_id and j.finished_at is null returning j.id)
select (select count(*) from stopped)::int stopped from cancelled`;
