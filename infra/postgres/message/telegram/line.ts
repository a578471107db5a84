import { HELD } from '../../job/held.ts';
import { eachPriority } from '../../job/priorities.ts';
import type { Line } from '../../job/scheduler.ts';
import { passOver } from './pass-over.ts';

/** A group takes a message in three seconds, where a person takes one in each (`infra/limits/slot-ledger.ts`). */
const GROUP_GAP_FACTOR = 3;

/**
 * Messages wait chat by chat: a chat takes one message a second, so that who waits for it must not hold up the others. A chat for
 * which more waits is set to its next time; one whose last message this is leaves at once. Those where nothing is due, since
 * their messages were paused, cancelled or expired, are told of, and passed over many at a time. What has changed a chat since
 * the snapshot has set its time itself: its stamp is another one, and what was read is not written over it.
 *
 * @param gapMs between two messages to one person.
 */
export const chatLine = (gapMs: number): Line => ({
  pick: { chosen, locked: locked(gapMs), nextAt, passed, passOver },
});

const chosen = `
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
      and scheduled_at is null and finished_at is null order by run_at, id limit 2) j),
looked as materialized (
  select c.*, j.id, j.run_at, j.priority, rest.run_at rest_at, rest.priority rest_priority from chats c
  left join messages j on j.project_id = c.project_id and j.chat_id = c.chat_id and j.n = 1
  left join (select project_id, chat_id, min(run_at) run_at, min(priority) priority from messages where n > 1 group by 1, 2) rest
    on rest.project_id = c.project_id and rest.chat_id = c.chat_id),
chosen as materialized (
  select project_id, chat_id, id, row_number() over (order by place, turn) rank from looked where id is not null and run_at <= $3),`;

const locked = (gapMs: number) => `
seen as materialized (
  select l.project_id, l.chat_id, l.stamp, picked.id is not null served,
    case when picked.id is null then l.run_at
      else greatest(l.rest_at, $3::timestamptz + ${gapMs} * case when l.chat_id < 0 then ${GROUP_GAP_FACTOR} else 1 end * interval '1 ms') end next_at,
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
  delete from waiting_chat w using held_chats h where w.project_id = h.project_id and w.chat_id = h.chat_id and not h.waits),`;

const nextAt = `least((
    select min(next_at) from ${eachPriority} cross join lateral (
      select w.next_at from waiting_chat w where w.project_id = t.project_id and w.priority = p.priority and w.next_at < ${HELD}
        and not exists (select from held_chats h where h.project_id = w.project_id and h.chat_id = w.chat_id) order by next_at limit 1) first),
    (select min(h.next_at) from held_chats h where h.project_id = t.project_id and h.waits and h.next_at < ${HELD}))`;

const passed = `array(select distinct project_id from held_chats where not served)`;
