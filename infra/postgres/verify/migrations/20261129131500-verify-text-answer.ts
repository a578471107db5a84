import { Migration } from '@mikro-orm/migrations';

/** What providers answered to a wording is each project's own, and an acceptance is kept as a refusal is. Lists tell of their gaps. */
export class Migration20261129131500VerifyTextAnswer extends Migration {
  override up(): void {
    // Its rows counted for an hour, and for every project.
    this.addSql(`drop table sms_refused_text`);
    this.addSql(`
-- The wording is a hash of the text with a mark for every digit: neither code nor text is here.
create table sms_text_answer (
  project_id uuid not null,
  provider text not null,
  wording bytea not null,
  is_accepted boolean not null,
  said text,
  since timestamptz not null,
  at timestamptz not null,
  primary key (project_id, provider, wording)
)`);
    this.addSql(`create index sms_text_answer_at on sms_text_answer (at)`);
    this.addSql(`
-- Entries of the list that were not understood.
alter table sms_template_list add column unread int not null default 0`);
  }
}
