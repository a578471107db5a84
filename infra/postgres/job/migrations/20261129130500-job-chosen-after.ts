import { Migration } from '@mikro-orm/migrations';

/** Why what was tried before an attempt did not do: also what was passed by, which has no attempt of its own. */
export class Migration20261129130500JobChosenAfter extends Migration {
  override up(): void {
    this.addSql('alter table attempt add column chosen_after text');
  }
}
