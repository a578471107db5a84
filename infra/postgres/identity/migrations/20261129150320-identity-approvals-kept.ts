import { Migration } from '@mikro-orm/migrations';

/** No approval is changed or deleted; nor are all of them at once, which a trigger for each row does not see. */
export class Migration20261129150320IdentityApprovalsKept extends Migration {
  override up(): void {
    this.addSql(
      'create trigger approval_not_emptied before truncate on approval for each statement execute function approval_is_kept()',
    );
  }
}
