import { Migration } from '@mikro-orm/migrations';

/** What an attempt that costs money was counted for, so that it takes back neither less nor more. */
export class Migration20261129113050JobScored extends Migration {
  override up(): void {
    this.addSql(`alter table attempt add column scored text[]`);
  }
}
