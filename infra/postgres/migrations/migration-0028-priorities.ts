import { Migration } from '@mikro-orm/migrations';

/** What goes first among a project's own messages, and a line of projects that a round reads no further than it has room. */
export class Migration0028Priorities extends Migration {
  override up(): void {
    this.addSql(priorities);
    this.addSql(turns);
  }
}

const priorities = `
alter table broadcast add priority text not null default 'normal' check (priority in ('urgent', 'normal', 'bulk'));
update broadcast set priority = 'bulk' where total > 1;
-- How many urgent ones a project has sent in the last minute.
create index broadcast_urgent on broadcast (project_id, mode, created_at) where priority = 'urgent';

-- The place in the list of priorities (domain/message/broadcast/priority.ts): 0 goes first.
alter table job add priority smallint not null default 1 check (priority between 0 and 2);
update job j set priority = 2 from broadcast b
where b.id = j.subject_id and b.priority = 'bulk' and j.released_at is null and j.finished_at is null;
drop index job_turn;
create index job_turn on job (kind, project_id, priority, run_at, id) where released_at is null and finished_at is null;
drop index job_chat_turn;
create index job_chat_turn on job (project_id, chat_id, priority, run_at, id)
  where released_at is null and finished_at is null and chat_id is not null;

-- The first of what waits for the chat.
alter table waiting_chat add priority smallint not null default 1 check (priority between 0 and 2);
update waiting_chat w set priority = 2 where not exists (
  select from job j where j.project_id = w.project_id and j.chat_id = w.chat_id and j.priority < 2
    and j.released_at is null and j.finished_at is null);
drop index waiting_chat_due;
create index waiting_chat_due on waiting_chat (project_id, priority, next_at);
`;

/** 'served_at' is a place in the line and a time at once: nobody is looked at before it, and the longest ago comes first. */
const turns = `
create index lane_turn_due on lane_turn (kind, served_at);
alter table lane_turn set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
alter table waiting_chat set (autovacuum_vacuum_scale_factor = 0.02);
`;
