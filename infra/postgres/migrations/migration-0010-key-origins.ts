import { Migration } from '@mikro-orm/migrations';

/** The web origins whose pages may call with a publishable key; none at first. */
export class Migration0010KeyOrigins extends Migration {
  override up(): void {
    this.addSql(`alter table api_key add allowed_origins text[] not null default '{}';`);
  }
}
