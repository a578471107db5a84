import type { ClosingAttempt } from '../../../domain/job/store.ts';
import { HALF_LIFE_SECONDS } from '../../../domain/verify/fraud.ts';
import { attemptIsOpen } from '../engine/by-key.ts';
import type { EndingSql, Settle } from '../job/settle.ts';

/** A code's verification expires with its job. */
const lockExpiring = `
expiring as materialized (
  select v.id, v.job_id from verification v
  where (v.id, v.job_id) in (select j.subject_id, j.id from w join job j on j.id = w.job_id where w.state = 'expired') and v.state = 'live'
  order by v.id for update),`;
const expire = `,
expired as (
  update verification v set state = 'expired', closed_at = $2 from expiring join moved on moved.id = expiring.job_id
  where moved.state = 'expired' and v.id = expiring.id)`;

const free: EndingSql = { name: 'otp', held: lockExpiring, lastHeld: 'expiring', settled: expire };

/**
 * A paid attempt that cost something else than was reserved gives the difference back; one that was not sent counts
 * nothing for its prefix nor its client, or an outage would look like fraud. Its number counts attempts by their outcome.
 */
const paid: EndingSql = {
  name: 'otp-paid',
  held: `${lockExpiring}
repriced as materialized (
  select a.job_id, a.n, a.project_id, a.opened_at, (a.opened_at at time zone 'utc')::date as day,
    w.outcome in ('rejected', 'failed', 'snoozed') unsent, a.scored, v.asked_by = 'stranger' by_stranger
  from w join attempt a on a.job_id = w.job_id and a.n = w.n join job j on j.id = a.job_id join verification v on v.id = j.subject_id
  where ${attemptIsOpen} and a.cost_micros <> coalesce(w.cost_micros, 0)),
held_spend as materialized (
  select from paid_spend where (project_id, day) in (select project_id, day from repriced) and (select count(*) from expiring) >= 0
  order by project_id for update),
held_scores as materialized (
  select from prefix_score where (project_id, prefix) in (select project_id, unnest(scored) from repriced where unsent)
    and (select count(*) from held_spend) >= 0
  order by project_id, prefix collate "C" for update),`,
  lastHeld: 'held_scores',
  // What is tried once more is reserved once more.
  jobColumns: `, reserved_micros = j.reserved_micros + case when w.outcome in ('failed', 'snoozed') and not w.finished
    then coalesce((select a.cost_micros from attempt a where a.job_id = w.job_id and a.n = w.n and ${attemptIsOpen}), 0) else 0 end`,
  settled: `,
returned as (select r.*, closed.excess from repriced r join closed on closed.job_id = r.job_id and closed.n = r.n),
settled_cost as (
  update paid_spend s set spent_micros = greatest(0, s.spent_micros + c.excess),
    stranger_micros = greatest(0, s.stranger_micros + c.stranger_excess)
  from (select project_id, day, sum(excess)::bigint excess, coalesce(sum(excess) filter (where by_stranger), 0)::bigint stranger_excess
    from returned group by 1, 2) c
  where s.project_id = c.project_id and s.day = c.day),
unscored as (
  update prefix_score s set sent = greatest(0, s.sent - u.weight)
  from (select p.project_id, p.prefix, sum(power(2, extract(epoch from r.opened_at - p.at) / ${HALF_LIFE_SECONDS}::float8)) weight
    from returned r join prefix_score p on p.project_id = r.project_id and p.prefix = any(r.scored) where r.unsent group by 1, 2) u
  where s.project_id = u.project_id and s.prefix = u.prefix)${expire}`,
};

/** An attempt that cost nothing and may have been sent has nothing to give back. */
const mayBePaid = ({ costMicros, outcome }: ClosingAttempt) =>
  costMicros !== null || (outcome !== 'completed' && outcome !== 'unknown');

export const otpSettle: Settle = {
  ending: free,
  paid: { mayBePaid, ending: paid },
  // A code that has died or was used must not be sent.
  waitsUntil: (now) => `(select expires_at from verification
     where verification.id = job.subject_id and verification.job_id = job.id and state = 'live' and expires_at > ${now})`,
  staff: {
    lock: 'select from verification where id = (select subject_id from job where id = $1) for update',
    // Nobody is sent a code that staff called off; a newer send of the same verification keeps it alive.
    cancel: `
update verification set state = 'cancelled', closed_at = $2
where id = (select subject_id from job where id = $1) and job_id = $1 and state = 'live'`,
  },
  expire: `
with late as (
  select id from verification where state = 'live' and expires_at < $2 order by expires_at limit $3 for update skip locked)
update verification v set state = 'expired', closed_at = $1 from late where v.id = late.id`,
};
