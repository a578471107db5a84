/**
 * One at a time adds to what is spent and reserved of a project's budget: an intake that accepts, an enrolment that is charged.
 * Two of them at one moment wait for each other here, and the second reads what the first has committed. Workers take no part: they
 * turn what is reserved into spend in one commit, which leaves the sum as it was. An advisory lock and not the day's row, which
 * workers hold while they wait for other rows. `$1` are the projects.
 */
export const lockBudgets = `
select pg_advisory_xact_lock(key) from (
  select distinct hashtextextended('budget ' || id, 0) key from unnest($1::text[]) id order by 1) keys`;

/** Of these projects that day (`$1`), in a statement after the lock: one snapshot, in which no message counts twice or not at all. */
export const readReservedSpend = `
select p.id project_id, coalesce(s.spent_micros, 0) + r.micros spent_micros, coalesce(s.stranger_micros, 0) + r.stranger_micros stranger_micros
from unnest($2::uuid[]) p (id) left join paid_spend s on s.project_id = p.id and s.day = $1
cross join lateral (
  select coalesce(sum(reserved_micros), 0)::bigint micros,
    coalesce(sum(reserved_micros) filter (where reserved_for_stranger), 0)::bigint stranger_micros
  from job where project_id = p.id and finished_at is null and reserved_micros > 0) r`;
