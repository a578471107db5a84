import { Migration } from '@mikro-orm/migrations';

/**
 * What accepted jobs may still need of their project's budget. It stands in the job itself, so that it ends with the job, whatever
 * ends it. And when a day's half was told of.
 */
export class Migration0018Reservations extends Migration {
  override up(): void {
    this.addSql('alter table job add reserved_micros bigint not null default 0');
    this.addSql('alter table job add reserved_for_stranger boolean not null default false');
    this.addSql('alter table paid_spend add half_spent_at timestamptz');
  }
}
