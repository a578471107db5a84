import { Migration } from '@mikro-orm/migrations';

/** What trials of SMS providers came to, by project: what one customer's people type decides nothing for another one. */
export class Migration20261129131000VerifySmsScoreProject extends Migration {
  override up(): void {
    this.addSql('drop table sms_score');
    this.addSql(`
create table sms_score (
  project_id uuid not null references project on delete cascade,
  operator text not null,
  provider text not null,
  sent double precision not null,
  arrived double precision not null,
  at timestamptz not null,
  primary key (project_id, operator, provider)
)`);
  }
}
