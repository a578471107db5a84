import { Migration } from '@mikro-orm/migrations';

/** Keys have names, since there may be five of a sort. */
export class Migration0024KeyNames extends Migration {
  override up(): void {
    this.addSql('alter table api_key add name text;');
  }
}
