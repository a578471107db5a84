import { Migration } from '@mikro-orm/migrations';

/** When something was done is the database's to say: whoever runs the processes may not choose it (`staff/grants.ts`). */
export class Migration20261129150600StaffAuditTime extends Migration {
  override up(): void {
    this.addSql('alter table audit alter column at set default navbat_now()');
  }
}
