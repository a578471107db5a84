import type pg from 'pg';
import type { JobId, TicketLabels } from '../../../domain/job/job.ts';
import { type JobKind, jobKinds } from '../../../domain/jobs.ts';
import type { DueTicket } from '../../queue/entries.ts';
import { HELD } from '../message/broadcast/held.ts';
import { answerCalls } from './turn-requests.ts';
import { passOver } from './pass-over.ts';
import { eachPriority } from './priorities.ts';

/** Kinds whose backlog waits in Postgres: all but codes, which wait for nobody. */
export type ReleasedKind = Exclude<JobKind, 'otp-send'>;
export const releasedKinds = jobKinds.filter((kind): kind is ReleasedKind => kind !== 'otp-send');

/** A group takes a message in three seconds, where a person takes one in each (`infra/queue/slot-ledger.ts`). */
const GROUP_GAP_FACTOR = 3;

interface ReleasedRow {
  /** Null where nothing was released: what is told of the round stands on each row. */
  readonly id: JobId | null;
  readonly kind: string;
  readonly labels: TicketLabels;
  readonly run_at: Date;
  readonly outbox_id: string;
  readonly more: boolean;
  readonly passed: readonly string[];
  readonly idle: boolean;
}

export interface Released {
  /** Null where nothing was released. */
  readonly outboxId: string | null;
  readonly tickets: readonly DueTicket[];
  /** More is due than this round had room for, or looked at. */
  readonly more: boolean;
  /** Chats and turns for which nothing is due were taken out of the line: another round may find others. */
  readonly passed: boolean;
}

export interface Release {
  /** Marks up to `room` waiting jobs as released, evenly over the projects, and answers their tickets. */
  (kind: ReleasedKind, room: number, chatGapMs: number, now: Date): Promise<Released>;
  published(outboxId: string, now: Date): Promise<void>;
}

/**
 * One releaser at a time for each kind, over all processes: the others find the lock taken and do nothing.
 *
 * @param pool a `schedulerPool`.
 */
export function release(pool: pg.Pool): Release {
  const run = async (kind: ReleasedKind, room: number, chatGapMs: number, now: Date): Promise<Released> => {
    const byChat = kind === 'telegram-message';
    if (kind === 'webhook') await answerCalls(pool, kind, now);
    if (!(await someoneWaits(pool, kind, now))) return NOBODY;
    const { rows } = await pool.query<ReleasedRow>({
      name: `release-${kind}`,
      text: byChat ? releaseByChat : releaseByProject(kind === 'webhook' ? webhookRoom : undefined),
      values: byChat ? [kind, room, now, chatGapMs] : [kind, room, now],
    });
    const { more = false, passed = [], idle = false } = rows[0] ?? {};
    if (passed.length > 0) await passOver(pool, passed, now);
    const tickets = rows.flatMap(({ id, labels, run_at }) =>
      id === null ? [] : [{ jobId: id, kind, labels, runAt: run_at }],
    );
    const outboxId = tickets.length > 0 ? (rows[0]?.outbox_id ?? null) : null;
    const hasPassed = passed.length > 0;
    return { outboxId, tickets, more: more || hasPassed, passed: hasPassed || idle };
  };
  const published = async (outboxId: string, now: Date) => {
    await pool.query('update outbox set published_at = $2 where id = $1', [outboxId, now]);
  };
  return Object.assign(run, { published });
}

const NOBODY: Released = { outboxId: null, tickets: [], more: false, passed: false };

/** Most rounds find nobody: planning the statements below would cost some milliseconds each time, thirty times a second. */
async function someoneWaits(pool: pg.Pool, kind: ReleasedKind, now: Date): Promise<boolean> {
  const { rows } = await pool.query({ name: 'someone-waits', text: someoneIsDue, values: [kind, now] });
  return rows.length > 0;
}

const someoneIsDue = `
select from lane_turn where kind = $1 and served_at <= $2::timestamptz + interval '1 ms' limit 1`;

/**
 * The turns of this round, in the order of service; none where another process releases this kind. As many turns as there are
 * places, and each with its even share of them, so that a round costs what it releases, however many projects wait. What a
 * small project leaves of its share, the next round gives away. The millisecond is for turns that this one has just served.
 */
const turnsSql = (room = 'null::int') => `
lane_lock as materialized (select pg_try_advisory_xact_lock(hashtext('release ' || $1)) taken),
turns as materialized (
  select row_id, project_id, stamp, row_number() over (order by served_at) turn, ${room} room from (
    select ctid row_id, project_id, stamp, served_at from lane_turn
    where kind = $1 and served_at <= $3::timestamptz + interval '1 ms' and (select taken from lane_lock)
    order by served_at limit $2) t),
share as materialized (select ceil($2::numeric / greatest(count(*), 1))::int places from turns)`;

/**
 * What the pick chose, and what still is so once its row is locked: a pause, a cancellation or a deadline that committed since
 * the snapshot is seen here, and a row that one of them holds at this moment is left to it. Nothing here waits for a job or a
 * chat, so that it can't meet anybody in a circle; turns come last, in the order that everybody keeps.
 */
const lockSql = `
picked as materialized (
  select chosen.*, j.kind, j.labels, j.run_at from chosen cross join lateral (
    select kind, labels, run_at, released_at, finished_at from job where id = chosen.id limit 1 for no key update skip locked) j
  where j.released_at is null and j.finished_at is null and j.run_at <= $3)`;

/**
 * Whoever was served goes to the end of the line; who has nothing due sleeps until it is; who has nothing left that waits
 * leaves, unless somebody has asked for a turn since the snapshot: then the stamp is another one. The outbox row is written
 * with it, so that a crash before the tickets are out is found.
 *
 * Nothing here joins a table with what was picked: after a quiet night the statistics say that nothing waits, and a join that
 * is planned for one row takes a minute with hundreds. Jobs are found by id, and turns by the key of an upsert. It holds the
 * jobs' locks, and no other releaser works on these turns.
 */
const settleSql = (nextAt: string, passed: string) => `
released as (update job set released_at = $3 where id = any(array(select id from picked))),
remaining as materialized (
  select t.row_id, t.project_id, t.stamp, ${nextAt} next_at, $3::timestamptz + coalesce(t.rank, 0) * interval '1 microsecond' end_of_line
  from (
    select project_id, any_value(row_id) row_id, any_value(stamp) stamp, max(rank) rank from (
      select project_id, row_id, stamp, null::bigint rank from turns union all select project_id, null, null, rank from picked) served
    group by project_id) t),
served as (
  insert into lane_turn as l (kind, project_id, served_at, stamp)
  select $1, project_id, case when next_at is null then 'infinity' else greatest(end_of_line, next_at) end, stamp
  from remaining order by project_id
  on conflict (kind, project_id) do update set served_at = case when l.stamp = excluded.stamp then excluded.served_at else $3 end
  where excluded.served_at < 'infinity' or l.stamp <> excluded.stamp
  returning project_id),
left_line as (
  delete from lane_turn where ctid = any(array(select row_id from remaining where next_at is null))
    and stamp = any(array(select stamp from remaining where next_at is null)) and (select count(*) from served) >= 0),
batch as (
  insert into outbox (job_ids, at) select array_agg(id order by rank), $3 from picked having count(*) > 0 returning id),
tickets as (select picked.id, picked.kind, picked.labels, picked.run_at, picked.rank, batch.id outbox_id from picked cross join batch),
told as (
  select ${passed} passed, exists (select from remaining where next_at <= $3) or (select count(*) from turns) >= $2 more,
    exists (select from remaining where next_at is null or next_at > $3) idle)
select tickets.*, told.* from told left join tickets on true order by rank`;

/** Sent to its queue, and not put to sleep since. */
export const WEBHOOK_IN_HAND = `kind = 'webhook' and released_at is not null and finished_at is null and run_at <= released_at`;
/**
 * Calls of one project in hand: as many as a quick endpoint's four places work off between two rounds, while the rest wait in the
 * process. The backlog behind them stays in Postgres, where it costs nothing: let out, each of thousands would knock several times a second.
 * What an endpoint that hangs has sent away to sleep is not counted, so that it takes no place from the project's others.
 */
const WEBHOOKS_IN_HAND_MAX = 64;
const webhookRoom = `
${WEBHOOKS_IN_HAND_MAX} - (select count(*)::int from (
  select from job where project_id = t.project_id and ${WEBHOOK_IN_HAND} limit ${WEBHOOKS_IN_HAND_MAX}) held)`;

/** Priority first, then the oldest due; the first of each project, then the second of each, until the room is used. */
const releaseByProject = (room?: string) => `
with ${turnsSql(room)},
chosen as materialized (
  select project_id, id, row_number() over (order by place, turn) rank from (
    select t.project_id, t.turn, j.id, j.place from turns t cross join lateral (
      select id, row_number() over (order by priority, run_at, id) place from (
        select due.* from ${eachPriority} cross join lateral (
          select id, j.priority, run_at from job j where kind = $1 and project_id = t.project_id and j.priority = p.priority
            and released_at is null and finished_at is null and run_at <= $3 order by run_at, id limit (select places from share)) due
        order by priority, run_at, id limit least((select places from share), t.room)) first) j
    order by j.place, t.turn limit $2) first),
${lockSql},
${settleSql(
  `(
    select min(run_at) from ${eachPriority} cross join lateral (
      select run_at from job j where j.kind = $1 and j.project_id = t.project_id and j.priority = p.priority and j.released_at is null
        and j.finished_at is null and j.run_at < ${HELD} and j.id not in (select id from picked) order by run_at, id limit 1) first)`,
  `array[]::uuid[]`,
)}`;

/**
 * As above, chat by chat: a chat takes one message a second, so that who waits for it must not hold up the others. A chat for
 * which more waits is set to its next time; one whose last message this is leaves at once. Those where nothing is due, since
 * their messages were paused, cancelled or expired, are told of, and passed over many at a time. What has changed a chat since
 * the snapshot has set its time itself: its stamp is another one, and what was read is not written over it.
 */
const releaseByChat = `
with ${turnsSql()},
chats as materialized (
  select t.project_id, t.turn, c.chat_id, c.stamp, c.place from turns t cross join lateral (
    select chat_id, stamp, row_number() over (order by priority, next_at) place from (
      select due.* from ${eachPriority} cross join lateral (
        select chat_id, stamp, w.priority, next_at from waiting_chat w
        where project_id = t.project_id and w.priority = p.priority and next_at <= $3 order by next_at limit (select places from share)) due
      order by priority, next_at limit (select places from share)) first) c
  order by c.place, t.turn limit $2),
messages as materialized (
  select c.project_id, c.chat_id, j.*,
    row_number() over (partition by c.project_id, c.chat_id order by greatest(j.run_at, $3), j.priority, j.run_at, j.id) n
  from chats c cross join ${eachPriority} cross join lateral (
    select id, run_at, j.priority from job j where project_id = c.project_id and chat_id = c.chat_id and j.priority = p.priority
      and released_at is null and finished_at is null order by run_at, id limit 2) j),
looked as materialized (
  select c.*, j.id, j.run_at, j.priority, rest.run_at rest_at, rest.priority rest_priority from chats c
  left join messages j on j.project_id = c.project_id and j.chat_id = c.chat_id and j.n = 1
  left join (select project_id, chat_id, min(run_at) run_at, min(priority) priority from messages where n > 1 group by 1, 2) rest
    on rest.project_id = c.project_id and rest.chat_id = c.chat_id),
chosen as materialized (
  select project_id, chat_id, id, row_number() over (order by place, turn) rank from looked where id is not null and run_at <= $3),
${lockSql},
seen as materialized (
  select l.project_id, l.chat_id, l.stamp, picked.id is not null served,
    case when picked.id is null then l.run_at
      else greatest(l.rest_at, $3::timestamptz + $4 * case when l.chat_id < 0 then ${GROUP_GAP_FACTOR} else 1 end * interval '1 ms') end next_at,
    case when picked.id is null then least(l.priority, l.rest_priority) else l.rest_priority end priority,
    case when picked.id is null then l.id is not null else l.rest_at is not null end waits
  from looked l left join picked on picked.id = l.id
  where l.id is null or l.run_at > $3 or picked.id is not null),
held_chats as materialized (
  select s.* from waiting_chat w join seen s on s.project_id = w.project_id and s.chat_id = w.chat_id
  where w.stamp = s.stamp for update of w skip locked),
paced as (
  update waiting_chat w set next_at = h.next_at, priority = h.priority from held_chats h
  where w.project_id = h.project_id and w.chat_id = h.chat_id and h.waits),
emptied as (
  delete from waiting_chat w using held_chats h where w.project_id = h.project_id and w.chat_id = h.chat_id and not h.waits),
${settleSql(
  `least((
    select min(next_at) from ${eachPriority} cross join lateral (
      select w.next_at from waiting_chat w where w.project_id = t.project_id and w.priority = p.priority and w.next_at < ${HELD}
        and not exists (select from held_chats h where h.project_id = w.project_id and h.chat_id = w.chat_id) order by next_at limit 1) first),
    (select min(h.next_at) from held_chats h where h.project_id = t.project_id and h.waits and h.next_at < ${HELD}))`,
  `array(select distinct project_id from held_chats where not served)`,
)}`;
