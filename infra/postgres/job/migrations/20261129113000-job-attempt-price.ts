import { Migration } from '@mikro-orm/migrations';

/** What a message was billed as, and why its provider was chosen. */
export class Migration20261129113000JobAttemptPrice extends Migration {
  override up(): void {
    this.addSql(`
alter table attempt
  add column parts smallint check (parts > 0),
  -- In the provider's own currency; cost_micros is what the budget counts.
  add column price_micros bigint,
  add column price_currency text,
  add column chosen text`);
  }
}
