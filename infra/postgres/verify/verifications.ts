import type pg from 'pg';
import { type ChallengeState, shownState } from '../../../domain/identity/approval/port.ts';
import { OWN_APP_PROVIDER } from '../../../domain/verify/channel.ts';
import type {
  TimelineApproval,
  TimelineAttempt,
  TimelineJob,
  Verifications,
} from '../../../domain/verify/checks.ts';
import { otpSend } from '../../../domain/verify/job.ts';
import { stateAt } from '../../../domain/verify/verification.ts';
import { countFinished } from '../../process/metrics.ts';
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
    timeline: async (projectId, mode, id) => {
      const row = await find(projectId, mode, id);
      if (!row) return null;
      const [jobs, approval] = await Promise.all([
        pool.query<TimelineJobRow>(timelineJobs, [row.id]),
        approvalOf(pool, row.job_id, now()),
      ]);
      const verification = { ...toVerification(row), state: stateAt(toVerification(row), now()) };
      const { phone, metadata, closed_at: closedAt } = row;
      return { verification, phone, metadata, closedAt, approval, jobs: jobs.rows.map(toTimelineJob) };
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
      const { asked_by: askedBy, check_by_to: checkByTo, client } = row;
      return { id: verification.id, destination, verification, askedBy, client, checkByTo };
    },
  };
}

type AttemptTime = 'delivery_at' | 'opened_at' | 'closed_at';

/** Postgres writes times inside JSON as text, with microseconds and an offset. */
interface TimelineJobRow extends Omit<TimelineJob, 'attempts'> {
  readonly attempts: readonly (Omit<TimelineAttempt, AttemptTime> & {
    readonly opened_at: string;
    readonly delivery_at: string | null;
    readonly closed_at: string | null;
  })[];
}

const toTimelineJob = (job: TimelineJobRow): TimelineJob => ({
  ...job,
  attempts: job.attempts.map((attempt) => ({
    ...attempt,
    opened_at: new Date(attempt.opened_at),
    delivery_at: timeOf(attempt.delivery_at),
    closed_at: timeOf(attempt.closed_at),
  })),
});

const timeOf = (text: string | null) => (text === null ? null : new Date(text));

interface ApprovalRow {
  readonly state: ChallengeState;
  readonly answered_at: Date | null;
  readonly expires_at: Date;
}

/** Of its latest send; null until the person approved for the project, as if nobody had been asked. */
async function approvalOf(pool: pg.Pool, jobId: string, now: Date): Promise<TimelineApproval | null> {
  const { rows } = await pool.query<ApprovalRow>(readApproval, [jobId]);
  const [row] = rows;
  return row ? { state: shownState(row.state, row.expires_at, now), answeredAt: row.answered_at } : null;
}

const readApproval = `
select c.state, c.answered_at, c.expires_at from challenge c join recipient r on r.project_id = c.project_id and r.person_id = c.person_id
where c.job_id = $1`;

/**
 * How long it took us to write a challenge down is told of nobody, since it may take a moment longer where somebody is there.
 */
const asIfAtOnce = `a.provider = '${OWN_APP_PROVIDER}'`;

/** A verification has a handful of sends, held by its limits; the bound is for the statement's sake. */
const timelineJobs = `
select j.id, j.state, j.reason, (select json_build_object('until', b.until, 'factors', b.factors) from risk_block b where b.job_id = j.id) block, j.accepted_at, j.finished_at, coalesce((
  select json_agg(json_build_object('n', a.n, 'channel', a.channel, 'provider', a.provider, 'outcome', a.outcome, 'reason', a.reason,
    'provider_reference', a.provider_reference, 'cost_micros', a.cost_micros::text, 'cost_currency', a.cost_currency,
    'parts', a.parts, 'price_micros', a.price_micros::text, 'price_currency', a.price_currency, 'chosen', a.chosen, 'chosen_after', a.chosen_after,
    'latency_ms', case when not ${asIfAtOnce} then a.latency_ms end, 'delivery', a.delivery, 'delivery_reason', a.delivery_reason, 'delivery_at', a.delivery_at,
    'opened_at', a.opened_at, 'closed_at', case when ${asIfAtOnce} and a.closed_at is not null then a.opened_at else a.closed_at end) order by a.n)
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
