import { Migration } from '@mikro-orm/migrations';

/** Whoever asks with a publishable key from where a code of the number was right: strangers use up none of their paid messages. */
export class Migration0043KnownAskers extends Migration {
  override up(): void {
    this.addSql('alter table verification add asked_known boolean not null default false');
  }
}
