import { Migration } from '@mikro-orm/migrations';

/**
 * Whatever a function in SQL approves by a proof, it approves by a second factor that is a day old: a passkey that a thief has registered has
 * to stand a day unnoticed. Passkeys themselves come and go by `staff_proof_outcome`, which asks no age.
 */
export class Migration20261129190200StaffProofAge extends Migration {
  override up(): void {
    this.addSql(use);
  }
}

/** As of whoever approves a batch of payouts. */
const FACTOR_AGE = '24 hours';

const use = `
create or replace function staff_proof_use(proof uuid, staff uuid, binds_hash bytea) returns text
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
declare
  outcome text;
begin
  if exists (select from staff_proof p where p.id = proof and p.factor_at > staff_proof_clock() - interval '${FACTOR_AGE}') then
    raise exception 'the second factor is younger than a day' using errcode = 'NB026';
  end if;
  outcome := staff_proof_outcome(proof, staff, binds_hash);
  if outcome <> 'ok' then
    raise exception 'the proof is not accepted: %', outcome using errcode = 'NB023', detail = outcome;
  end if;
  return outcome;
end $$`;
