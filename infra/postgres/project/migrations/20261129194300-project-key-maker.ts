import { Migration } from '@mikro-orm/migrations';

/** Which member of staff stands behind a key: by the command line, or by the key that made it. */
export class Migration20261129194300ProjectKeyMaker extends Migration {
  override up(): void {
    this.addSql(`
-- Null of older keys, and of those that ask for no money: nobody is named.
alter table api_key add column created_by uuid references staff`);
  }
}
