import { Migration } from '@mikro-orm/migrations';

/** Whoever asks with a publishable key has a verification of their own, which nobody else meets. */
export class Migration0016Askers extends Migration {
  override up(): void {
    this.addSql(askers);
  }
}

const askers = `
alter table verification
  -- The project itself, by a secret key; or somebody with a key that anybody may have.
  add asked_by text not null default 'service' check (asked_by in ('service', 'stranger')),
  -- Of a stranger: HMAC-SHA256 under PEPPER of the project and their network address.
  add asked_from bytea;
-- Strangers have as many as they asked for: one of them neither resends nor ends what another asked for.
drop index verification_live;
create unique index verification_live on verification (address_hash, project_id, purpose)
  where state = 'live' and asked_by = 'service';
create index verification_asked_from on verification (asked_from, created_at) where asked_from is not null;
`;
