import { Migration } from '@mikro-orm/migrations';

/** Every reason that closes a chat or a device counts as blocked; `test/infra/postgres/message/broadcast/counts.test.ts` compares it with them. */
export class Migration0037BlockedReasons extends Migration {
  override up(): void {
    this.addSql(`
      create or replace function message_outcome(state text, reason text) returns text language sql immutable as $$
        select case state when 'completed' then 'sent' when 'cancelled' then 'cancelled'
          when 'rejected' then case when reason in ('bot-blocked', 'bot-kicked', 'bot-not-started', 'user-deactivated', 'chat-not-found',
            'chat-upgraded', 'token-unregistered', 'opted-out') then 'blocked' else 'failed' end
          else 'failed' end
      $$;
    `);
  }
}
