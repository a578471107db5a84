import { Migration } from '@mikro-orm/migrations';

/** What the accounts at providers of SMS hold: one row each, written by the workers that send by them. */
export class Migration20261129121000VerifyProviderBalance extends Migration {
  override up(): void {
    this.addSql(`
create table provider_balance (
  provider text primary key,
  -- Millionths of the currency's unit. Null: the provider tells no balance, and took the last message.
  micros bigint,
  currency text not null,
  -- The threshold of the worker that asked, in millionths.
  low_below_micros bigint not null,
  low_since timestamptz,
  -- When the balance was told; null until it first was.
  told_at timestamptz,
  asked_at timestamptz not null,
  -- Why the last question was not answered, and since when none is.
  error text,
  failing_since timestamptz
)`);
  }
}
