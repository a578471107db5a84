import { HALF_LIFE_SECONDS, SAME_NUMBER_SECONDS } from '../../../domain/verify/fraud.ts';
import type { VerificationState } from '../../../domain/verify/verification.ts';
import type { Queryable } from '../engine/transaction.ts';

export interface Approving {
  readonly id: string;
  readonly addressHash: Uint8Array;
  readonly projectId: string;
  /**
   * In which it may still be approved: a check that was counted while one was left approves one that has reached them too, so that a wrong one
   * which used up the last and was faster takes nothing away.
   */
  readonly from: readonly Extract<VerificationState, 'live' | 'max-checks-reached'>[];
}

/**
 * The person said yes: by compare-and-set the verification is approved, its job stops, the destination's failures are forgotten, and
 * its prefix, its address and its device gain trust, the latter two once an hour by one number.
 *
 * @returns how many jobs were stopped; null where somebody or something else was first.
 */
export async function approve(db: Queryable, approving: Approving, now: Date): Promise<number | null> {
  const { id, addressHash, projectId, from } = approving;
  const { rows } = await db.query<{ stopped: number }>({
    name: 'approve',
    text: approveVerification,
    values: [id, now, HALF_LIFE_SECONDS, addressHash, projectId, from],
  });
  return rows[0]?.stopped ?? null;
}

/** 40 days of half-lives: what was sent so long ago weighs nothing, and a larger power would not fit a double. */
const WEIGHT_DOUBLINGS_MAX = 960;

/**
 * The destination is locked first, as the intake does, and the job last, after the prefix, as everybody does: so that a check and
 * a resend or a paid opening can't wait for each other in a circle.
 * A score counts as of its own time, so that what is added now weighs as much more as the score has decayed since.
 */
const approveVerification = `
with held as materialized (select from destination where address_hash = $4 and project_id = $5 for update),
approved as (
  update verification set state = 'approved', closed_at = $2 where id = $1 and state = any($6) and (select count(*) from held) >= 0 returning *),
forgiven as (
  update destination d set failed_checks = 0 from approved where d.address_hash = approved.address_hash and d.project_id = approved.project_id),
named as materialized (
  select name from approved, unnest(array[phone_prefix, scored_ip, scored_device]) name where name is not null and (name = phone_prefix or not exists (
    select from verification o where o.address_hash = $4 and o.project_id = $5 and o.created_at > $2 - make_interval(secs => ${SAME_NUMBER_SECONDS})
      and o.state = 'approved' and o.id <> $1))),
held_scores as materialized (
  select from prefix_score where project_id = $5 and prefix in (select name from named) order by prefix collate "C" for update),
trusted as (
  update prefix_score s set verified = verified + power(2, least(${WEIGHT_DOUBLINGS_MAX}, extract(epoch from $2 - s.at) / $3::float8))
  where s.project_id = $5 and s.prefix in (select name from named) and (select count(*) from held_scores) >= 0 returning s.prefix),
stopped as (
  update job j set state = 'completed', reason = 'approved', finished_at = $2 from approved
  where j.id = approved.job_id and j.finished_at is null and (select count(*) from trusted) >= 0 returning j.id)
select (select count(*) from stopped)::int stopped from approved`;
