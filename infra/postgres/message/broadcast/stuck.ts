import type pg from 'pg';
import { inTransaction } from '../../engine/transaction.ts';
import { HELD } from '../../job/held.ts';
import { LOST_AFTER, waits } from '../../job/stuck.ts';

/**
 * Frees messages that no turn would ever reach: a job that is held although its broadcast is not paused, one that waits although
 * its broadcast was cancelled, and one whose chat has lost its place in the line.
 *
 * @returns how many there were.
 */
export async function freeStuckMessages(
  pool: pg.Pool,
  jobIds: readonly string[],
  now: Date,
): Promise<number> {
  const stuck = await pool.query<{ subject_id: string }>(findStuck, [jobIds, now]);
  if (stuck.rows.length === 0) return 0;
  return inTransaction(pool, async (tx) => {
    // Locked first, in order, and read again after that: a pause or a cancellation that commits in between is seen.
    await tx.query('select from broadcast where id = any($1) order by id for no key update', [
      stuck.rows.map(({ subject_id }) => subject_id),
    ]);
    await tx.query(freeJobs, [jobIds, now]);
    await tx.query(giveChats, [jobIds, now]);
    return stuck.rows.length;
  });
}

const isHeldInVain = `j.run_at = ${HELD} and (j.scheduled_at is not null or b.state <> 'paused')`;
const isCancelled = `j.scheduled_at is null and b.state = 'cancelled'`;
const lacksChat = `j.chat_id is not null and not exists (
  select from waiting_chat c where c.project_id = j.project_id and c.chat_id = j.chat_id
    and c.next_at <= greatest(j.run_at, $2::timestamptz + ${LOST_AFTER}))`;

const findStuck = `
select j.subject_id from job j left join broadcast b on b.id = j.subject_id
where j.id = any($1) and j.finished_at is null and (${isHeldInVain} or ${isCancelled} or (${waits} and ${lacksChat}))`;

const freeJobs = `
with cancelled as (
  update job j set state = 'cancelled', reason = 'broadcast-cancelled', finished_at = $2 from broadcast b
  where j.id = any($1) and j.finished_at is null and b.id = j.subject_id and ${isCancelled})
update job j set run_at = greatest(b.send_at, $2) from broadcast b
where j.id = any($1) and j.finished_at is null and b.id = j.subject_id and ${isHeldInVain} and not (${isCancelled})`;

const giveChats = `
insert into waiting_chat as w (project_id, chat_id, next_at, priority, stamp)
select j.project_id, j.chat_id, min(j.run_at), min(j.priority), gen_random_uuid() from job j
where j.id = any($1) and ${waits} and ${lacksChat} group by 1, 2 order by 1, 2
on conflict (project_id, chat_id) do update
set next_at = least(w.next_at, excluded.next_at), priority = least(w.priority, excluded.priority), stamp = excluded.stamp`;
