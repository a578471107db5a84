import { Migration } from '@mikro-orm/migrations';

/** Finds who has a push token, so that no two handles of a project ever have one. */
export class Migration0020Recipients extends Migration {
  override up(): void {
    this.addSql(pushTokens);
  }
}

const pushTokens = `
-- HMAC-SHA256 under PEPPER. Null beside a token that was stored before this column: it is filled when the token is put again.
alter table recipient add push_token_hash bytea;
create index recipient_push_token on recipient (project_id, push_token_hash) where push_token_hash is not null;
`;
