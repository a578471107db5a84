import { Migration } from '@mikro-orm/migrations';

/** What tries an SMS provider for the sake of measuring it is found by its time: one in ten to twenty SMS. */
export class Migration20261129123000JobAttemptTrial extends Migration {
  override up(): void {
    this.addSql(`create index attempt_trial on attempt (opened_at, job_id, n) where chosen = 'trial'`);
  }
}
