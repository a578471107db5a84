import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import {
  type Passkey,
  type Passkeys,
  PASSKEYS_MAX,
  registrationBinds,
  removalBinds,
  type Registered,
  type Removed,
} from '../../../domain/staff/passkey.ts';
import type { Audits } from '../../../domain/staff/audit.ts';
import type { PasskeyRegistration } from '../../../domain/staff/webauthn.ts';
import { pageOf } from '../../../domain/shared/page.ts';
import { sha256 } from '../../process/crypto.ts';
import { challengeOf, type NewCredential } from '../../staff/webauthn.ts';
import { inTransaction } from '../engine/transaction.ts';
import { type AssertionParts, livePasskeys } from './assertions.ts';
import { audited } from './audit.ts';
import { putChallenge, takeChallenge } from './challenges.ts';
import { useProof } from './proofs.ts';

interface PasskeyRow {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
}

const asPasskey = ({ id, name, version, created_at, last_used_at }: PasskeyRow): Passkey => ({
  id,
  name,
  version,
  createdAt: created_at,
  lastUsedAt: last_used_at,
});

export function staffPasskeys(parts: AssertionParts): Passkeys {
  const { pool, webAuthn } = parts;
  return {
    async registration({ id, email }, now) {
      const challenge = await putChallenge(pool, { staffId: id, purpose: 'register' }, now);
      return webAuthn.registration({ id, email }, challenge, await livePasskeys(pool, id));
    },

    register: (staffId, wish, now, audits) => register(parts, staffId, wish, now, audits),

    async list(staffId, { limit, after }) {
      const { rows } = await pool.query<PasskeyRow>(
        `select id, name, version, created_at, last_used_at from staff_passkey
         where staff_id = $1 and removed_at is null and ($2::uuid is null or id < $2)
         order by id desc limit $3`,
        [staffId, after, limit + 1],
      );
      return pageOf(rows.map(asPasskey), limit);
    },

    rename: (staffId, id, name, audits) =>
      inTransaction(pool, async (tx) => audited(tx, await rename(tx, staffId, id, name), audits)),

    remove: (staffId, wish, now, audits) =>
      inTransaction(pool, async (tx) => audited(tx, await remove(tx, { staffId, ...wish }, now), audits)),
  };
}

async function register(
  { pool, webAuthn }: AssertionParts,
  staffId: string,
  wish: Parameters<Passkeys['register']>[1],
  now: Date,
  audits: Audits<Registered>,
): Promise<Registered> {
  const challenge = challengeOf(wish.registration);
  const asked = challenge && (await takeChallenge(pool, { challenge, staffId, purpose: 'register' }, now));
  if (!asked) return audited(pool, { registered: false, reason: 'challenge' }, audits);
  const credential = await webAuthn.verifyRegistration(wish.registration, challenge);
  if (!credential) return audited(pool, { registered: false, reason: 'signature' }, audits);
  return inTransaction(pool, async (tx) =>
    audited(tx, await insertPasskey(tx, staffId, { ...wish, credential }, now), audits),
  );
}

const insert = `
insert into staff_passkey (id, staff_id, credential_id, public_key, counter, transports, name, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (credential_id) do nothing
returning id, name, version, created_at, last_used_at`;

/** A proof that was used for a key that is taken is spent: it names that key and is good for nothing else. */
async function insertPasskey(
  tx: pg.PoolClient,
  staffId: string,
  wish: {
    readonly name: string;
    readonly registration: PasskeyRegistration;
    readonly proofId: string;
    readonly credential: NewCredential;
  },
  now: Date,
): Promise<Registered> {
  const { name, registration, proofId, credential } = wish;
  // One after the other, so that the limit is seen.
  await tx.query('select from staff where id = $1 for no key update', [staffId]);
  const { rows: counted } = await tx.query<{ live: number }>(
    `select count(*)::int live from staff_passkey where staff_id = $1 and removed_at is null`,
    [staffId],
  );
  if ((counted[0]?.live ?? 0) >= PASSKEYS_MAX) return { registered: false, reason: 'too-many' };
  const hash = sha256(Buffer.from(registration.response.attestationObject, 'base64url')).toString('hex');
  const outcome = await useProof(tx, { proofId, staffId, binds: registrationBinds(staffId, hash) });
  if (outcome !== 'ok') return { registered: false, reason: 'proof', outcome };
  const { rows } = await tx.query<PasskeyRow>(insert, [
    uuidv7(),
    staffId,
    credential.credentialId,
    credential.publicKey,
    credential.counter,
    registration.response.transports ?? [],
    name,
    now,
  ]);
  return rows[0] ? { registered: true, passkey: asPasskey(rows[0]) } : { registered: false, reason: 'taken' };
}

async function rename(tx: pg.PoolClient, staffId: string, id: string, name: string): Promise<Passkey | null> {
  const { rows } = await tx.query<PasskeyRow>(
    `update staff_passkey set name = $3, version = version + 1
     where id = $1 and staff_id = $2 and removed_at is null
     returning id, name, version, created_at, last_used_at`,
    [id, staffId, name],
  );
  return rows[0] ? asPasskey(rows[0]) : null;
}

async function remove(
  tx: pg.PoolClient,
  { staffId, id, proofId }: { staffId: string; id: string; proofId: string },
  now: Date,
): Promise<Removed> {
  // Before the passkey, as a reset does: what uses the proof locks the account too.
  await tx.query('select from staff where id = $1 for share', [staffId]);
  const { rows } = await tx.query<{ version: number }>(
    `select version from staff_passkey where id = $1 and staff_id = $2 and removed_at is null for update`,
    [id, staffId],
  );
  const [found] = rows;
  if (!found) return { removed: false, reason: 'unknown' };
  const binds = removalBinds({ id, version: found.version });
  const outcome = await useProof(tx, { proofId, staffId, binds });
  if (outcome !== 'ok') return { removed: false, reason: 'proof', outcome };
  await tx.query(`update staff_passkey set removed_at = $2 where id = $1`, [id, now]);
  return { removed: true };
}
