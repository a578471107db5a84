import { Migration } from '@mikro-orm/migrations';

/** What is known of the texts that SMS providers send: their lists, and what they refused. */
export class Migration20261129120700VerifyModeration extends Migration {
  override up(): void {
    this.addSql(`
-- One row a provider. Who moves due_at on reads its list.
create table sms_template_list (
  provider text primary key,
  templates jsonb not null default '[]',
  read_at timestamptz,
  changed_at timestamptz,
  due_at timestamptz not null
)`);
    this.addSql(`
-- The wording is a hash of the text with every number left out: neither code nor text is here.
create table sms_refused_text (
  provider text not null,
  wording bytea not null,
  said text,
  since timestamptz not null,
  refused_at timestamptz not null,
  primary key (provider, wording)
)`);
    this.addSql(`create index sms_refused_text_refused_at on sms_refused_text (refused_at)`);
  }
}
