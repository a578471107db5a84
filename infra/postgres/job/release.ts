import type pg from 'pg';
import type { JobId, TicketLabels } from '../../../domain/job/job.ts';
import { type JobKind, jobKinds } from '../../../domain/jobs.ts';
import type { DueTicket } from '../../queue/tickets.ts';
import { answerCalls } from './lane-calls.ts';

/** Kinds whose backlog waits in Postgres: all but codes, which wait for nobody. */
export type ReleasedKind = Exclude<JobKind, 'otp-send'>;
export const releasedKinds = jobKinds.filter((kind): kind is ReleasedKind => kind !== 'otp-send');

/** Projects looked at in one round: who was served longest ago comes first, so that the others come next time. */
const TURNS_MAX = 200;

interface ReleasedRow {
  readonly id: JobId;
  readonly kind: string;
  readonly labels: TicketLabels;
  readonly run_at: Date;
}

export interface Release {
  /** Marks up to `room` waiting jobs as released, evenly over the projects, and answers their tickets. */
  (
    kind: ReleasedKind,
    room: number,
    chatGapMs: number,
    now: Date,
  ): Promise<{ readonly outboxId: string; readonly tickets: readonly DueTicket[] } | null>;
  published(outboxId: string, now: Date): Promise<void>;
}

/** One releaser at a time for each kind, over all processes: the others find the lock taken and do nothing. */
export function release(pool: pg.Pool): Release {
  const run = async (kind: ReleasedKind, room: number, chatGapMs: number, now: Date) => {
    const byChat = kind === 'telegram-message';
    if (kind === 'webhook') await answerCalls(pool, kind, now);
    const { rows } = await pool.query<ReleasedRow & { outbox_id: string }>({
      name: `release-${kind}`,
      text: byChat ? releaseByChat : releaseByProject,
      values: byChat ? [kind, room, now, chatGapMs] : [kind, room, now],
    });
    const [first] = rows;
    if (!first) return null;
    const tickets = rows.map(({ id, labels, run_at }) => ({ jobId: id, kind, labels, runAt: run_at }));
    return { outboxId: first.outbox_id, tickets };
  };
  const published = async (outboxId: string, now: Date) => {
    await pool.query('update outbox set published_at = $2 where id = $1', [outboxId, now]);
  };
  return Object.assign(run, { published });
}

/** The turns of this round, in the order of service; none where another process releases this kind. */
const turnsSql = `
turns as materialized (
  select project_id, stamp, row_number() over (order by served_at) turn
  from (select * from lane_turn where kind = $1 and pg_try_advisory_xact_lock(hashtext('release ' || $1)) order by served_at limit ${TURNS_MAX}) t)`;

/**
 * What the pick chose, and still holds once its row is locked: a pause, a cancellation or a deadline that committed since the
 * snapshot is seen here, and a row that one of them holds at this moment is left to it. Nothing here waits for a job or a
 * chat, so that it can't meet anybody in a circle; turns come last, in the order that everybody keeps.
 */
const lockSql = `
locked as materialized (
  select j.id from job j
  where j.id = any(array(select id from chosen)) and j.released_at is null and j.finished_at is null and j.run_at <= $3
  for no key update skip locked),
picked as materialized (select chosen.* from chosen join locked on locked.id = chosen.id)`;

/**
 * Whoever was served goes to the end of the line; who has nothing left that waits leaves it, unless somebody has asked for a
 * turn since the snapshot: then the stamp is another one. The outbox row is written with it, so that a crash before the
 * tickets are out is found.
 */
const settleSql = `
released as (
  update job j set released_at = $3 from picked
  where j.id = picked.id and j.released_at is null and j.finished_at is null and j.run_at <= $3
  returning j.id, j.kind, j.labels, j.run_at, picked.rank),
remaining as materialized (
  select t.project_id, t.stamp, coalesce((select max(p.rank) from picked p where p.project_id = t.project_id), 0) rank, exists (
    select from job j where j.kind = $1 and j.project_id = t.project_id and j.released_at is null and j.finished_at is null
      and j.id not in (select id from picked)) more
  from turns t),
held_turns as materialized (
  select l.project_id, r.rank, r.more or l.stamp <> r.stamp stays from lane_turn l join remaining r on r.project_id = l.project_id
  where l.kind = $1 order by l.project_id for update of l),
served as (
  update lane_turn l set served_at = $3::timestamptz + h.rank * interval '1 microsecond'
  from held_turns h where l.kind = $1 and l.project_id = h.project_id and h.stays),
left_line as (
  delete from lane_turn l using held_turns h where l.kind = $1 and l.project_id = h.project_id and not h.stays),
batch as (
  insert into outbox (job_ids, at) select array_agg(id order by rank), $3 from released having count(*) > 0 returning id)
select released.*, batch.id outbox_id from released, batch order by rank`;

/** Oldest due first within a project; the first of each project, then the second of each, until the room is used. */
const releaseByProject = `
with ${turnsSql},
chosen as materialized (
  select project_id, id, row_number() over (order by place, turn) rank from (
    select t.project_id, t.turn, j.id, j.place from turns t cross join lateral (
      select id, row_number() over (order by run_at, id) place from (
        select id, run_at from job where kind = $1 and project_id = t.project_id and released_at is null and finished_at is null
          and run_at <= $3 order by run_at, id limit $2) due) j
    order by j.place, t.turn limit $2) first),
${lockSql},
${settleSql}`;

/**
 * As above, chat by chat: a chat takes one message a second, so that who waits for it must not hold up the others. A chat
 * for which more waits is set to its next time; one whose last message this is leaves at once, since a look at each chat that
 * is done would use up the room of those that wait. What has changed a chat since the snapshot has set its time itself: its
 * stamp is another one, and what was read is not written over it.
 */
const releaseByChat = `
with ${turnsSql},
chats as materialized (
  select t.project_id, t.turn, c.chat_id, c.stamp, c.place from turns t cross join lateral (
    select chat_id, stamp, row_number() over (order by next_at) place from (
      select chat_id, stamp, next_at from waiting_chat where project_id = t.project_id and next_at <= $3 order by next_at limit $2) due) c
  order by c.place, t.turn limit $2),
looked as materialized (
  select c.*, j.id, j.run_at, j.id is not null and (j.run_at > $3 or exists (
    select from job more where more.project_id = c.project_id and more.chat_id = c.chat_id and more.id <> j.id
      and more.released_at is null and more.finished_at is null)) waits
  from chats c left join lateral (
    select id, run_at from job where project_id = c.project_id and chat_id = c.chat_id and released_at is null and finished_at is null
    order by run_at, id limit 1) j on true),
chosen as materialized (
  select project_id, chat_id, id, row_number() over (order by place, turn) rank from looked where id is not null and run_at <= $3),
${lockSql},
seen as materialized (
  select l.*, picked.id is not null served from looked l left join picked on picked.id = l.id
  where l.id is null or l.run_at > $3 or picked.id is not null),
held_chats as materialized (
  select s.project_id, s.chat_id, s.waits, case when s.served then $3::timestamptz + $4 * interval '1 ms' else s.run_at end next_at
  from waiting_chat w join seen s on s.project_id = w.project_id and s.chat_id = w.chat_id
  where w.stamp = s.stamp for update of w skip locked),
paced as (
  update waiting_chat w set next_at = h.next_at from held_chats h
  where w.project_id = h.project_id and w.chat_id = h.chat_id and h.waits),
emptied as (
  delete from waiting_chat w using held_chats h where w.project_id = h.project_id and w.chat_id = h.chat_id and not h.waits),
${settleSql}`;
