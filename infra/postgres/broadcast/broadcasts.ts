import type pg from 'pg';
import type { Broadcasts, BroadcastView } from '../../../domain/broadcast/broadcast.ts';
import { pageOf } from '../../../domain/page.ts';
import { countFinished } from '../../metrics.ts';

interface BroadcastRow {
  readonly id: BroadcastView['id'];
  readonly kind: BroadcastView['kind'];
  readonly state: BroadcastView['state'];
  readonly total: number;
  readonly send_at: Date;
  readonly expires_at: Date;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly sent: number;
  readonly failed: number;
  readonly blocked: number;
  readonly waiting: number;
}

const BLOCKED = `('bot-blocked', 'chat-not-found', 'token-unregistered')`;

/** Progress is counted from the jobs, at most ten thousand of them, by the index on their subject. */
const columns = `
b.id, b.kind, b.state, b.total, b.send_at, b.expires_at, b.created_at, b.finished_at, p.*`;
const progress = `
cross join lateral (
  select count(*) filter (where state = 'completed')::int sent,
    count(*) filter (where finished_at is null)::int waiting,
    count(*) filter (where state = 'rejected' and reason in ${BLOCKED})::int blocked,
    count(*) filter (where state in ('exhausted', 'expired', 'cancelled') or (state = 'rejected' and reason not in ${BLOCKED}))::int failed
  from job where subject_id = b.id) p`;

const toView = (row: BroadcastRow): BroadcastView => ({
  id: row.id,
  kind: row.kind,
  // The sweep writes the end down within a second; whoever asks meanwhile is told so already.
  state: row.state === 'sending' && row.waiting === 0 ? 'finished' : row.state,
  total: row.total,
  progress: { sent: row.sent, failed: row.failed, blocked: row.blocked, waiting: row.waiting },
  sendAt: row.send_at,
  expiresAt: row.expires_at,
  createdAt: row.created_at,
  finishedAt: row.finished_at,
});

export function broadcasts(pool: pg.Pool): Broadcasts {
  return {
    find: async ({ projectId, mode }, id) => {
      const { rows } = await pool.query<BroadcastRow>(
        `select ${columns} from broadcast b ${progress} where b.id = $1 and b.project_id = $2 and b.mode = $3`,
        [id, projectId, mode],
      );
      return rows[0] ? toView(rows[0]) : null;
    },
    list: async ({ projectId, mode }, kind, { limit, after }) => {
      const { rows } = await pool.query<BroadcastRow>(
        `select ${columns} from (
           select * from broadcast where project_id = $1 and mode = $5 and ($2::text is null or kind = $2) and ($3::uuid is null or id < $3)
           order by id desc limit $4) b ${progress} order by b.id desc`,
        [projectId, kind ?? null, after, limit + 1, mode],
      );
      return pageOf(rows.map(toView), limit);
    },
    command: async ({ projectId, mode }, id, command, now) => {
      const { rows } = await pool.query<{
        found: boolean;
        done: boolean;
        kind: string | null;
        stopped: number;
      }>({
        text: commands[command],
        values: [id, projectId, now, mode],
      });
      const [row] = rows;
      if (!row?.found) return 'unknown';
      if (row.kind !== null) countFinished(row.kind, 'cancelled', row.stopped);
      return row.done ? 'done' : 'refused';
    },
  };
}

/** A time that never comes, for rows that wait for a resume; JavaScript has no date for Postgres' `infinity`. */
const HELD = `timestamptz '9999-12-31 00:00:00+00'`;

const answer = `select exists (select from broadcast where id = $1 and project_id = $2 and mode = $4) found, exists (select from changed) done,
  (select kind from broadcast where id = $1) kind`;

/**
 * A pause and a cancellation change the broadcast and every job that waits for its turn in one commit; what is in hand
 * already, a second's worth, goes out or finds the broadcast cancelled.
 */
const commands = {
  pause: `
with changed as (
  update broadcast set state = 'paused' where id = $1 and project_id = $2 and mode = $4 and state in ('sending', 'paused') returning id),
held as (
  update job set run_at = ${HELD} from changed where subject_id = changed.id and released_at is null and finished_at is null)
${answer}, 0 stopped from (select $3::timestamptz) t`,
  resume: `
with changed as (
  update broadcast set state = 'sending' where id = $1 and project_id = $2 and mode = $4 and state in ('sending', 'paused')
  returning id, kind, project_id, send_at),
freed as (
  update job set run_at = greatest(changed.send_at, $3) from changed
  where subject_id = changed.id and released_at is null and finished_at is null and run_at = ${HELD} returning job.chat_id),
waiting as (
  insert into waiting_chat as c (project_id, chat_id, next_at, stamp)
  select distinct $2::uuid, chat_id, $3::timestamptz, gen_random_uuid() from freed where chat_id is not null
  on conflict (project_id, chat_id) do update set next_at = least(c.next_at, excluded.next_at), stamp = excluded.stamp),
turn as (
  insert into lane_turn (kind, project_id, served_at, stamp) select kind, project_id, $3, gen_random_uuid() from changed
  on conflict (kind, project_id) do update set stamp = excluded.stamp)
${answer}, 0 stopped`,
  cancel: `
with changed as (
  update broadcast set state = 'cancelled', finished_at = coalesce(finished_at, $3)
  where id = $1 and project_id = $2 and mode = $4 and state in ('sending', 'paused', 'cancelled') returning id),
stopped as (
  update job set state = 'cancelled', reason = 'broadcast-cancelled', finished_at = $3 from changed
  where subject_id = changed.id and released_at is null and finished_at is null returning job.id)
${answer}, (select count(*) from stopped)::int stopped`,
};

/** Broadcasts looked at in one tick: each costs a look at its jobs. */
const FINISHED_ROWS_MAX = 100;

/** Writes down which broadcasts have no recipient left that waits; how many. */
export async function finishBroadcasts(pool: pg.Pool, now: Date): Promise<number> {
  const { rowCount } = await pool.query(
    `update broadcast set state = 'finished', finished_at = $1 where id in (
       select b.id from broadcast b where b.finished_at is null and b.state = 'sending'
         and not exists (select from job j where j.subject_id = b.id and j.finished_at is null)
       order by b.id limit $2)`,
    [now, FINISHED_ROWS_MAX],
  );
  return rowCount ?? 0;
}
