import { Migration } from '@mikro-orm/migrations';

/** Addresses that wait for newer data: looked for each minute, and nearly always none. */
export class Migration20261130160200EarnOldData extends Migration {
  override up(): void {
    this.addSql(
      `create index session_address_old on session_address (session_id, address) where reason = 'address-data-old'`,
    );
  }
}
