import { Migration } from '@mikro-orm/migrations';

/** How many recipients a message named, and how many of them named a destination once more. */
export class Migration0029RecipientsNamed extends Migration {
  override up(): void {
    // Null: of an earlier version, which told as many as were named.
    this.addSql(`
      alter table broadcast add named int;
      alter table broadcast add duplicates int not null default 0;
    `);
  }
}
