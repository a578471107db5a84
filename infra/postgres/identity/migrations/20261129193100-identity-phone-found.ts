import { Migration } from '@mikro-orm/migrations';

/** Whoever knows a payee by their phone alone finds the person without reading all phones. */
export class Migration20261129193100IdentityPhoneFound extends Migration {
  override up(): void {
    this.addSql('create index person_phone_number on person_phone (phone)');
  }
}
