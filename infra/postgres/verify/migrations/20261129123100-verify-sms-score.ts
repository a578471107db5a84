import { Migration } from '@mikro-orm/migrations';

/** What trials of SMS providers came to, by operator, and up to which attempt they were counted. */
export class Migration20261129123100VerifySmsScore extends Migration {
  override up(): void {
    this.addSql(`
create table sms_score (
  operator text not null,
  provider text not null,
  sent double precision not null,
  arrived double precision not null,
  at timestamptz not null,
  primary key (operator, provider)
)`);
    this.addSql(`
-- One row, which is held while trials are counted: each is counted once, however many workers there are.
create table sms_score_mark (
  is_mark boolean primary key default true check (is_mark),
  opened_at timestamptz not null,
  job_id uuid not null,
  n int not null
)`);
    this.addSql(`
insert into sms_score_mark (opened_at, job_id, n) values ('-infinity', '00000000-0000-0000-0000-000000000000', 0)`);
  }
}
