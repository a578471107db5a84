import { Migration } from '@mikro-orm/migrations';

/** What staff must see at a glance: who works, and why a queue is paused. */
export class Migration0033StaffSight extends Migration {
  override up(): void {
    this.addSql(staffSight);
  }
}

const staffSight = `
alter table lane add paused_reason text;
-- One row a worker process, written every few seconds and forgotten after an hour.
create table worker_beat (
  id uuid primary key,
  -- Kinds that it works on, and 'sweep'.
  roles text[] not null,
  -- When its sweep last ended a round; null where it has none, or none has ended yet.
  swept_at timestamptz,
  at timestamptz not null
);
`;
