import { Migration } from '@mikro-orm/migrations';

/** Scores of the address and the device that a service saw, beside those of prefixes; and what a block was made of. */
export class Migration20261129113100VerifySignals extends Migration {
  override up(): void {
    this.addSql(`
-- Names in prefix_score: the factor, and 64 bits of an HMAC-SHA256 under PEPPER. Null where a service told of none.
alter table verification add column scored_ip text, add column scored_device text`);
    this.addSql(`
create table risk_block (
  job_id uuid primary key,
  at timestamptz not null,
  reason text not null,
  until timestamptz not null,
  factors jsonb not null
)`);
    this.addSql(`create index risk_block_at on risk_block (at)`);
  }
}
