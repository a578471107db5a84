import { Migration } from '@mikro-orm/migrations';

/** Play Mobile reports of a message by the id that its attempt gave it, and names no attempt. */
export class Migration20261129120500JobPlayMobileReference extends Migration {
  override up(): void {
    this.addSql(
      `create index attempt_play_mobile_message on attempt (provider_reference) where provider = 'play-mobile' and provider_reference is not null`,
    );
  }
}
