import { Migration } from '@mikro-orm/migrations';

/** What a project's day has cost for requests with a publishable key, beside all that it has cost. */
export class Migration0017StrangerSpend extends Migration {
  override up(): void {
    this.addSql('alter table paid_spend add stranger_micros bigint not null default 0');
  }
}
