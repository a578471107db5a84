import type pg from 'pg';
import { HELD } from './held.ts';
import { inTransaction } from '../engine/transaction.ts';

/** Unfinished rows that one round looks at: some milliseconds. A second lies between two rounds. */
const PAGE_ROWS = 1_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * A walk over the unfinished jobs that wait for their turn, which frees what no turn would ever reach: a job that is held
 * although its broadcast is not paused, one that waits although its broadcast was cancelled, and one whose project or chat
 * has lost its place in the line. No statement of ours leaves such a row; a restored dump, a hand in the database or an older
 * version may.
 *
 * @returns a round; it answers how many rows it freed.
 */
export function stuckJobs(pool: pg.Pool): (now: Date) => Promise<number> {
  let after = FIRST_ID;
  return async (now) => {
    const page = await pool.query<{ id: string; subject_id: string }>(
      `select id, subject_id from job where finished_at is null and id > $1 order by id limit ${PAGE_ROWS}`,
      [after],
    );
    after = page.rows.length < PAGE_ROWS ? FIRST_ID : (page.rows.at(-1)?.id ?? FIRST_ID);
    const ids = page.rows.map(({ id }) => id);
    const stuck = await pool.query<{ subject_id: string }>(findStuck, [ids, now]);
    if (stuck.rows.length === 0) return 0;
    return inTransaction(pool, async (tx) => {
      // Locked first, in order, and read again after that: a pause or a cancellation that commits in between is seen.
      await tx.query('select from broadcast where id = any($1) order by id for no key update', [
        stuck.rows.map(({ subject_id }) => subject_id),
      ]);
      await tx.query(freeJobs, [ids, now]);
      await tx.query(giveChats, [ids, now]);
      await tx.query(giveTurns, [ids, now]);
      return stuck.rows.length;
    });
  };
}

/** A chat that waits for its next second, and a turn that was served a moment ago, are not lost. */
const LOST_AFTER = `interval '1 minute'`;

const isHeldInVain = `j.run_at = ${HELD} and (j.released_at is not null or b.state <> 'paused')`;
const isCancelled = `j.released_at is null and b.state = 'cancelled'`;
/** Of a job that waits in Postgres and is not held. */
const waits = `j.released_at is null and j.finished_at is null and j.run_at < ${HELD}`;
const lacksTurn = `not exists (
    select from lane_turn t where t.kind = j.kind and t.project_id = j.project_id
      and t.served_at <= greatest(j.run_at, $2::timestamptz + ${LOST_AFTER}))
  and not exists (select from lane_call c where c.kind = j.kind and c.project_id = j.project_id)`;
const lacksChat = `j.chat_id is not null and not exists (
  select from waiting_chat c where c.project_id = j.project_id and c.chat_id = j.chat_id
    and c.next_at <= greatest(j.run_at, $2::timestamptz + ${LOST_AFTER}))`;

const findStuck = `
select j.subject_id from job j left join broadcast b on b.id = j.subject_id
where j.id = any($1) and j.finished_at is null
  and (${isHeldInVain} or ${isCancelled} or (${waits} and (${lacksTurn} or ${lacksChat})))`;

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

const giveTurns = `
insert into lane_turn (kind, project_id, served_at, stamp)
select kind, project_id, $2, gen_random_uuid()
from (select distinct j.kind, j.project_id from job j where j.id = any($1) and ${waits} and ${lacksTurn}) w order by kind, project_id
on conflict (kind, project_id) do update set served_at = least(lane_turn.served_at, excluded.served_at), stamp = excluded.stamp`;
