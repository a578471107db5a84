import { Migration } from '@mikro-orm/migrations';

/** Passkeys of staff, and proofs: a second factor that approves exactly one thing, once. */
export class Migration20261129150200StaffProofs extends Migration {
  override up(): void {
    this.addSql(passkeys);
    this.addSql(proofs);
    this.addSql(kept);
    this.addSql(functions);
  }
}

const passkeys = `
create table staff_passkey (
  id uuid primary key,
  staff_id uuid not null references staff,
  credential_id bytea not null unique,
  -- COSE_Key (RFC 9052 §7).
  public_key bytea not null,
  -- WebAuthn §6.1.1; 0 for ever where the authenticator does not count.
  counter bigint not null check (counter >= 0),
  transports text[] not null,
  name text not null,
  -- Of its name: what is approved of a passkey names the one that was read.
  version int not null default 1,
  created_at timestamptz not null,
  last_used_at timestamptz,
  -- It opens nothing from then on; proofs that it made still show by which key.
  removed_at timestamptz
);
create index on staff_passkey (staff_id, id);

-- One question to an authenticator, asked once and answered at most once.
create table staff_challenge (
  -- What the authenticator signs; of a proof it is SHA-256 over what is approved and the nonce.
  challenge bytea primary key check (length(challenge) = 32),
  staff_id uuid not null references staff on delete cascade,
  purpose text not null check (purpose in ('register', 'login', 'proof')),
  nonce bytea check ((nonce is not null) = (purpose = 'proof')),
  expires_at timestamptz not null
);
create index on staff_challenge (expires_at);
create index on staff_challenge (staff_id);
`;

const proofs = `
create table staff_proof (
  id uuid primary key,
  staff_id uuid not null references staff,
  by text not null check (by in ('totp', 'passkey')),
  -- Of a TOTP: no code proves twice, whatever becomes of the account's last step.
  step bigint,
  -- Of a passkey: what it signed, so that the approval can be verified again by its public key.
  passkey_id uuid references staff_passkey,
  nonce bytea,
  assertion jsonb,
  -- Since when the account has this second factor: an approver's must be a day old.
  factor_at timestamptz not null,
  -- What is approved, as canonical JSON: a person reads it, and its bytes are what binds.
  binds text not null check (binds is json object),
  binds_hash bytea not null,
  -- Of this database, whatever a client says.
  at timestamptz not null,
  used_at timestamptz,
  unique (staff_id, step),
  check (binds_hash = sha256(convert_to(binds, 'UTF8'))),
  check ((step is not null) = (by = 'totp')),
  check ((passkey_id is not null) = (by = 'passkey')),
  check ((nonce is not null) = (by = 'passkey')),
  check ((assertion is not null) = (by = 'passkey'))
);
create unique index on staff_proof (nonce);
`;

/** Rows are evidence. The owner can disable a trigger; no process runs as the owner. */
const kept = `
create function staff_proof_begin() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  new.at := navbat_now();
  new.used_at := null;
  return new;
end $$;
create trigger staff_proof_begin before insert on staff_proof for each row execute function staff_proof_begin();

create function staff_proof_kept() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'UPDATE' and old.used_at is null and new.used_at is not null
     and to_jsonb(new) - 'used_at' = to_jsonb(old) - 'used_at' then
    return new;
  end if;
  raise exception 'a proof is kept as it was made' using errcode = 'NB009';
end $$;
create trigger staff_proof_kept before update or delete on staff_proof for each row execute function staff_proof_kept();
create trigger staff_proof_not_emptied before truncate on staff_proof for each statement execute function staff_proof_kept();
`;

/**
 * The life of a proof stands in `PROOF_MINUTES` too (`domain/staff/proof.ts`). It is measured both ways: in a transaction that was left
 * open the clock stands still, and a proof that is made later looks fresh for ever.
 */
const functions = `
create function staff_proof_binds(
  action text, subject text, version bigint, hash text, count bigint, total text
) returns text language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select '{"action":' || to_json(action)
    || case when count is null then '' else ',"count":' || count end
    || case when hash is null then '' else ',"hash":' || to_json(hash) end
    || ',"subject":' || to_json(subject)
    || case when total is null then '' else ',"total":' || to_json(total) end
    || ',"version":' || version || '}'
$$;

create function staff_proof_outcome(proof uuid, staff uuid, binds_hash bytea) returns text
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp set lock_timeout = '3s' as $$
declare
  found_proof staff_proof%rowtype;
begin
  select p.* into found_proof from staff_proof p
    join staff s on s.id = p.staff_id and s.disabled_at is null
    where p.id = staff_proof_outcome.proof and p.staff_id = staff_proof_outcome.staff
    for update of p;
  if not found then return 'unknown'; end if;
  if found_proof.binds_hash is distinct from staff_proof_outcome.binds_hash then return 'other-subject'; end if;
  if found_proof.used_at is not null then return 'used'; end if;
  if navbat_now() not between found_proof.at - interval '5 minutes' and found_proof.at + interval '5 minutes' then
    return 'stale';
  end if;
  update staff_proof set used_at = greatest(navbat_now(), at) where id = found_proof.id;
  return 'ok';
end $$;

create function staff_proof_use(proof uuid, staff uuid, binds_hash bytea) returns text
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
declare
  outcome text := staff_proof_outcome(proof, staff, binds_hash);
begin
  if outcome <> 'ok' then
    raise exception 'the proof is not accepted: %', outcome using errcode = 'NB023', detail = outcome;
  end if;
  return outcome;
end $$;
revoke execute on function staff_proof_outcome(uuid, uuid, bytea), staff_proof_use(uuid, uuid, bytea) from public;
`;
