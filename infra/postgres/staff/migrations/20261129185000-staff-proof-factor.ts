import { Migration } from '@mikro-orm/migrations';

/**
 * A proof is worth what its second factor is worth when it is used, and no older than it says: a reset or a removed passkey takes its
 * proofs along, and its time goes on in a transaction that was left open.
 */
export class Migration20261129185000StaffProofFactor extends Migration {
  override up(): void {
    this.addSql(clock);
    this.addSql(begin);
    this.addSql(outcome);
  }
}

const clock = `
-- navbat_now() at this moment: now() stands still in a transaction.
create function staff_proof_clock() returns timestamptz language sql volatile set search_path = pg_catalog, public, pg_temp as $$
  select navbat_now() + (clock_timestamp() - now()) $$;
revoke execute on function staff_proof_clock() from public`;

const begin = `
create or replace function staff_proof_begin() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  new.at := staff_proof_clock();
  new.used_at := null;
  return new;
end $$`;

/**
 * The life of a proof stands in `PROOF_MINUTES` too (`domain/staff/proof.ts`). It is measured both ways, for a clock that was moved back.
 * Milliseconds, since that is what JavaScript keeps of `totp_bound_at`.
 */
const outcome = `
create or replace function staff_proof_outcome(proof uuid, staff uuid, binds_hash bytea) returns text
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp set lock_timeout = '3s' as $$
declare
  found_proof staff_proof%rowtype;
  right_now timestamptz;
begin
  -- The account is locked to the end, so that a reset is either seen here, or waits until what is approved has its commit.
  select p.* into found_proof from staff_proof p
    join staff s on s.id = p.staff_id and s.disabled_at is null
      and (p.by <> 'totp' or date_trunc('milliseconds', s.totp_bound_at) = date_trunc('milliseconds', p.factor_at))
    where p.id = staff_proof_outcome.proof and p.staff_id = staff_proof_outcome.staff
    for update of p for share of s;
  if not found then return 'unknown'; end if;
  if found_proof.passkey_id is not null then
    perform from staff_passkey k where k.id = found_proof.passkey_id and k.staff_id = found_proof.staff_id and k.removed_at is null for share;
    if not found then return 'unknown'; end if;
  end if;
  if found_proof.binds_hash is distinct from staff_proof_outcome.binds_hash then return 'other-subject'; end if;
  if found_proof.used_at is not null then return 'used'; end if;
  -- Read after the locks: they may have been waited for.
  right_now := staff_proof_clock();
  if right_now not between found_proof.at - interval '5 minutes' and found_proof.at + interval '5 minutes' then
    return 'stale';
  end if;
  update staff_proof p set used_at = greatest(right_now, p.at) where p.id = found_proof.id;
  return 'ok';
end $$`;
