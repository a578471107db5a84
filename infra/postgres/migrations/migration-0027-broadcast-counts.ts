import { Migration } from '@mikro-orm/migrations';

/** How far a broadcast is, counted as its jobs settle and not by walking over them; its last event is told once, when nobody waits. */
export class Migration0027BroadcastCounts extends Migration {
  override up(): void {
    this.addSql(counts);
    this.addSql(counting);
    this.addSql(event);
    this.addSql(existing);
  }
}

/**
 * A commit that settles jobs writes a row of its own in `broadcast_tally`, so that no two of them wait for one row of
 * `broadcast`, and none for a cancellation that holds it. The sweep adds the tallies up (`foldTallies`); whoever reads
 * meanwhile adds what is not yet added.
 */
const counts = `
alter table broadcast add sent int not null default 0;
alter table broadcast add failed int not null default 0;
alter table broadcast add blocked int not null default 0;
alter table broadcast add cancelled int not null default 0;
create table broadcast_tally (
  broadcast_id uuid not null,
  sent int not null default 0,
  failed int not null default 0,
  blocked int not null default 0,
  cancelled int not null default 0
-- Its rows live for a second: what they leave is cleared soon, or reading it would grow.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_threshold = 10000);
create index broadcast_tally_broadcast on broadcast_tally (broadcast_id);
`;

/** A retry by staff takes its job's count back. A test key's jobs are finished as they are written: their intake counts them. */
const counting = `
/* What became of a message, in the words of its broadcast's counts. blocked: its address is closed or gone for good. */
create function message_outcome(state text, reason text) returns text language sql immutable as $$
  select case state when 'completed' then 'sent' when 'cancelled' then 'cancelled'
    when 'rejected' then case when reason in ('bot-blocked', 'chat-not-found', 'token-unregistered', 'opted-out') then 'blocked' else 'failed' end
    else 'failed' end
$$;

create function broadcast_count() returns trigger language plpgsql as $$
begin
  -- Most statements settle nothing: one look at their rows, and no join.
  if not exists (select from job_after where kind in ('telegram-message', 'push') and finished_at is not null)
    and not exists (select from job_before where kind in ('telegram-message', 'push') and finished_at is not null) then
    return null;
  end if;
  insert into broadcast_tally (broadcast_id, sent, failed, blocked, cancelled)
  select subject_id, coalesce(sum(change) filter (where outcome = 'sent'), 0), coalesce(sum(change) filter (where outcome = 'failed'), 0),
    coalesce(sum(change) filter (where outcome = 'blocked'), 0), coalesce(sum(change) filter (where outcome = 'cancelled'), 0)
  from (
    select n.subject_id, message_outcome(n.state, n.reason) outcome, 1 change from job_after n join job_before o on o.id = n.id
    where n.kind in ('telegram-message', 'push') and o.finished_at is null and n.finished_at is not null
    union all
    select o.subject_id, message_outcome(o.state, o.reason), -1 from job_after n join job_before o on o.id = n.id
    where n.kind in ('telegram-message', 'push') and o.finished_at is not null and n.finished_at is null) settled
  group by subject_id;
  return null;
end
$$;
create trigger broadcast_count after update on job referencing old table as job_before new table as job_after
  for each statement execute function broadcast_count();
`;

/** The same five counts as GET /broadcasts/{id}. */
const event = `
create or replace function webhook_on_broadcast() returns trigger language plpgsql as $$
begin
  if webhook_is_wanted(new.project_id, new.mode, 'broadcast.finished', null) then
    perform webhook_emit(new.project_id, new.mode, 'broadcast.finished', new.id, new.finished_at,
      (select jsonb_build_object('id', new.id, 'kind', new.kind, 'state', new.state, 'total', new.total,
        'sent', p.sent, 'failed', p.failed, 'blocked', p.blocked, 'cancelled', p.cancelled,
        'waiting', new.total - p.sent - p.failed - p.blocked - p.cancelled,
        'created_at', new.created_at, 'finished_at', new.finished_at)
      from (
        select new.sent + coalesce(sum(t.sent), 0) sent, new.failed + coalesce(sum(t.failed), 0) failed,
          new.blocked + coalesce(sum(t.blocked), 0) blocked, new.cancelled + coalesce(sum(t.cancelled), 0) cancelled
        from broadcast_tally t where t.broadcast_id = new.id) p), null, new.request_id);
  end if;
  return null;
end
$$;
`;

/** Of what retention has taken, nobody knows more than that it is over. An empty tally has the sweep look at what is unfinished. */
const existing = `
update broadcast b set sent = c.sent, failed = c.failed, blocked = c.blocked, cancelled = c.cancelled
from (
  select subject_id, count(*) filter (where outcome = 'sent') sent, count(*) filter (where outcome = 'failed') failed,
    count(*) filter (where outcome = 'blocked') blocked, count(*) filter (where outcome = 'cancelled') cancelled
  from (select subject_id, message_outcome(state, reason) outcome from job where kind in ('telegram-message', 'push') and finished_at is not null) j
  group by subject_id) c
where b.id = c.subject_id;
update broadcast b set sent = b.total - b.failed - b.blocked - b.cancelled where b.finished_at is not null
  and not exists (select from job j where j.subject_id = b.id and j.finished_at is null);
insert into broadcast_tally (broadcast_id) select id from broadcast where finished_at is null;
`;
