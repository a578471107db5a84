import type pg from 'pg';
import type { Broadcasts, BroadcastView } from '../../../../domain/message/broadcast/broadcast.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import { countFinished } from '../../../process/metrics.ts';
import { inTransaction } from '../../engine/transaction.ts';
import { parameters } from '../../job/filter.ts';
import { HELD } from '../../job/held.ts';

interface BroadcastRow {
  readonly id: BroadcastView['id'];
  readonly kind: BroadcastView['kind'];
  readonly state: BroadcastView['state'];
  readonly priority: BroadcastView['priority'];
  readonly named: number;
  readonly duplicates: number;
  readonly total: number;
  readonly send_at: Date;
  readonly expires_at: Date;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly sent: number;
  readonly failed: number;
  readonly blocked: number;
  readonly cancelled: number;
  readonly waiting: number;
}

const columns = `
b.id, b.kind, b.state, b.priority, coalesce(b.named, b.total) named, b.duplicates, b.total, b.send_at, b.expires_at, b.created_at, b.finished_at, p.*, b.total - p.sent - p.failed - p.blocked - p.cancelled waiting`;
/** What was counted, and what settled in the last second and is not yet added to it. */
const progress = `
cross join lateral (
  select (b.sent + coalesce(sum(sent), 0))::int sent, (b.failed + coalesce(sum(failed), 0))::int failed,
    (b.blocked + coalesce(sum(blocked), 0))::int blocked, (b.cancelled + coalesce(sum(cancelled), 0))::int cancelled
  from broadcast_tally where broadcast_id = b.id) p`;

const toView = (row: BroadcastRow): BroadcastView => ({
  id: row.id,
  kind: row.kind,
  // The reconciler writes the end down within a second; whoever asks meanwhile is told so already.
  state: row.state !== 'cancelled' && row.waiting === 0 ? 'finished' : row.state,
  priority: row.priority,
  named: row.named,
  duplicates: row.duplicates,
  total: row.total,
  progress: {
    sent: row.sent,
    failed: row.failed,
    blocked: row.blocked,
    cancelled: row.cancelled,
    waiting: row.waiting,
  },
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
      const { values, put } = parameters();
      // Only what is asked for: a condition on a kind that may be absent is one that no index serves.
      const clauses = [`project_id = ${put(projectId)}`, `mode = ${put(mode)}`];
      if (kind !== undefined) clauses.push(`kind = ${put(kind)}`);
      if (after !== null) clauses.push(`id < ${put(after)}`);
      const { rows } = await pool.query<BroadcastRow>(
        `select ${columns} from (
           select * from broadcast where ${clauses.join(' and ')} order by id desc limit ${put(limit + 1)}) b
         ${progress} order by b.id desc`,
        values,
      );
      return pageOf(rows.map(toView), limit);
    },
    command: async ({ projectId, mode }, id, command, now) => {
      const found = await inTransaction(pool, (tx) => commandOne(tx, { projectId, mode, id, command, now }));
      if (!found) return 'unknown';
      countFinished(found.kind, 'cancelled', found.stopped);
      return found.done ? 'done' : 'refused';
    },
  };
}

interface Command {
  readonly projectId: string;
  readonly mode: string;
  readonly id: string;
  readonly command: 'pause' | 'resume' | 'cancel';
  readonly now: Date;
}
interface CommandDone {
  readonly kind: BroadcastView['kind'];
  readonly done: boolean;
  readonly stopped: number;
}

/** From which states a command may come; repeated, it changes nothing. */
const commandableStates = {
  pause: ['sending', 'paused'],
  resume: ['sending', 'paused'],
  cancel: ['sending', 'paused', 'cancelled'],
} as const satisfies Record<Command['command'], readonly BroadcastView['state'][]>;

/**
 * A pause and a cancellation change the broadcast and every job that waits for its turn in one commit; what is in hand
 * already, a second's worth, goes out or finds the broadcast cancelled. The broadcast is locked first and its jobs are read
 * after that: in one statement, a resume would miss the jobs that a pause is holding at that moment.
 */
async function commandOne(tx: pg.PoolClient, command: Command): Promise<CommandDone | null> {
  const { id, projectId, mode, now } = command;
  const { rows } = await tx.query<{ kind: BroadcastView['kind']; state: BroadcastView['state'] }>(
    'select kind, state from broadcast where id = $1 and project_id = $2 and mode = $3 for no key update',
    [id, projectId, mode],
  );
  const [row] = rows;
  if (!row) return null;
  const states: readonly string[] = commandableStates[command.command];
  if (!states.includes(row.state)) return { kind: row.kind, done: false, stopped: 0 };
  const stopped = await commands[command.command](tx, id, now);
  return { kind: row.kind, done: true, stopped };
}

/** Each answers how many jobs it ended. */
const commands: Record<Command['command'], (tx: pg.PoolClient, id: string, now: Date) => Promise<number>> = {
  pause: async (tx, id) => {
    await tx.query(pauseBroadcast, [id]);
    return 0;
  },
  resume: async (tx, id, now) => {
    await tx.query(freeChats, [id, now]);
    await tx.query(resumeBroadcast, [id, now]);
    return 0;
  },
  cancel: async (tx, id, now) => (await tx.query(cancelBroadcast, [id, now])).rowCount ?? 0,
};

const isWaiting = 'scheduled_at is null and finished_at is null';

const pauseBroadcast = `
with changed as (update broadcast set state = 'paused' where id = $1)
update job set run_at = ${HELD} where subject_id = $1 and ${isWaiting}`;

/** Chats in their order before the turn: as an intake locks them. */
const freeChats = `
insert into waiting_chat as c (project_id, chat_id, next_at, priority, stamp)
select project_id, chat_id, $2, priority, gen_random_uuid()
from (select distinct project_id, chat_id, priority from job where subject_id = $1 and ${isWaiting} and run_at = ${HELD} and chat_id is not null) w
order by project_id, chat_id
on conflict (project_id, chat_id) do update
set next_at = least(c.next_at, excluded.next_at), priority = least(c.priority, excluded.priority), stamp = excluded.stamp`;

const resumeBroadcast = `
with changed as (update broadcast set state = 'sending' where id = $1 returning kind, project_id, send_at),
freed as (
  update job j set run_at = greatest(changed.send_at, $2) from changed where j.subject_id = $1 and ${isWaiting} and j.run_at = ${HELD}
  returning j.id)
insert into scheduler_turn (kind, project_id, served_at, stamp)
select kind, project_id, $2, gen_random_uuid() from changed where (select count(*) from freed) >= 0
on conflict (kind, project_id) do update set served_at = least(scheduler_turn.served_at, excluded.served_at), stamp = excluded.stamp`;

const cancelBroadcast = `
with changed as (update broadcast set state = 'cancelled' where id = $1)
update job set state = 'cancelled', reason = 'broadcast-cancelled', finished_at = $2 where subject_id = $1 and ${isWaiting}`;

/** Tallies of one round: a few milliseconds. What is left is added in the next one. */
const TALLIES_MAX = 10_000;

/**
 * Adds up what the last second settled, and writes down which broadcasts have nobody left that waits: their last event is
 * told in this commit, once, since `finished_at` is set once. One that is cancelled ends so too, when what was in hand has
 * settled. Broadcasts are locked in their order; of two rounds at once each adds the tallies that it took.
 *
 * @returns how many ended.
 */
export async function foldTallies(pool: pg.Pool, now: Date): Promise<number> {
  const { rows } = await pool.query<{ ended: boolean }>(addTallies, [now, TALLIES_MAX]);
  return rows.filter(({ ended }) => ended).length;
}

const addTallies = `
with taken as (
  delete from broadcast_tally where ctid = any(array(select ctid from broadcast_tally limit $2 for update skip locked))
  returning broadcast_id, sent, failed, blocked, cancelled),
sums as materialized (
  select broadcast_id id, sum(sent) sent, sum(failed) failed, sum(blocked) blocked, sum(cancelled) cancelled,
    sum(sent + failed + blocked + cancelled) settled from taken group by 1),
held as materialized (
  select b.id from broadcast b where b.id in (select id from sums) order by b.id for no key update)
update broadcast b set sent = b.sent + s.sent, failed = b.failed + s.failed, blocked = b.blocked + s.blocked, cancelled = b.cancelled + s.cancelled,
  finished_at = case when b.finished_at is null and b.sent + b.failed + b.blocked + b.cancelled + s.settled >= b.total then $1 else b.finished_at end,
  state = case when b.state <> 'cancelled' and b.sent + b.failed + b.blocked + b.cancelled + s.settled >= b.total then 'finished' else b.state end
from held join sums s on s.id = held.id where b.id = held.id
returning old.finished_at is null and new.finished_at is not null ended`;
