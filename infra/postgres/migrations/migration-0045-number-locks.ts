import { Migration } from '@mikro-orm/migrations';

/** A number's row is its lock alone: paid messages are counted by their attempts, and the times in it decided nothing. */
export class Migration0045NumberLocks extends Migration {
  override up(): void {
    this.addSql(
      `alter table paid_destination drop column paid_at, add locked_at timestamptz not null default now()`,
    );
  }
}
