import type pg from 'pg';
import { eachPriority } from '../../job/priorities.ts';

/** Chats looked at, for each priority of each project: few, where one has been left behind, and many behind a cancellation. */
const PAGES = [64, 256, 1_024, 4_096] as const;

/**
 * Takes those chats of the projects out of the line for which nothing is due, since their messages were paused, cancelled, or
 * expired: one of them costs some microseconds here, and a place in a round of the scheduler elsewhere.
 */
export async function passOver(pool: pg.Pool, projectIds: readonly string[], now: Date): Promise<void> {
  for (const page of PAGES) {
    const { rows } = await pool.query<{ passed: number }>({
      name: 'pass-over',
      text: passOverSql,
      values: [projectIds, now, page],
    });
    if ((rows[0]?.passed ?? 0) < page / 2) return;
  }
}

/** A chat that somebody holds, or has changed since the snapshot, is left to them. */
const passOverSql = `
with due as materialized (
  select w.* from unnest($1::uuid[]) of_project cross join ${eachPriority} cross join lateral (
    select project_id, chat_id, stamp from waiting_chat c
    where c.project_id = of_project and c.priority = p.priority and next_at <= $2 order by next_at limit $3) w),
looked as materialized (
  select due.*, (
    select min(run_at) from ${eachPriority} cross join lateral (
      select run_at from job j where j.project_id = due.project_id and j.chat_id = due.chat_id and j.priority = p.priority
        and scheduled_at is null and finished_at is null order by run_at, id limit 1) first) run_at
  from due),
held as materialized (
  select l.project_id, l.chat_id, l.run_at from waiting_chat w join looked l on l.project_id = w.project_id and l.chat_id = w.chat_id
  where w.stamp = l.stamp and (l.run_at is null or l.run_at > $2) for update of w skip locked),
asleep as (
  update waiting_chat w set next_at = h.run_at from held h
  where w.project_id = h.project_id and w.chat_id = h.chat_id and h.run_at is not null),
gone as (
  delete from waiting_chat w using held h where w.project_id = h.project_id and w.chat_id = h.chat_id and h.run_at is null)
select count(*)::int passed from held`;
