import type { EntityManager } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Audits } from '../../../domain/staff/audit.ts';
import type { PasskeyAssertion } from '../../../domain/staff/webauthn.ts';
import {
  canonicalBinds,
  PROOF_MINUTES,
  type ProofBinds,
  type ProofMade,
  type ProofOutcome,
  proofOutcomes,
  type ProofRefusal,
  type StaffProofs,
} from '../../../domain/staff/proof.ts';
import { readFactor } from '../../../domain/staff/second-factor.ts';
import { type Encryption, sha256 } from '../../process/crypto.ts';
import { inTransaction } from '../engine/transaction.ts';
import { type AssertionParts, checkAssertion, livePasskeys } from './assertions.ts';
import { audited } from './audit.ts';
import { putChallenge } from './challenges.ts';
import { countedFactor } from './counted-factor.ts';
import { forgiveTries } from './lock.ts';
import { openSecret, stepOf } from './totp-secret.ts';

const MINUTE_MS = 60_000;

interface Parts extends AssertionParts {
  /** Forked for each call. */
  readonly em: EntityManager;
  readonly encryption: Encryption;
}

export function staffProofs(parts: Parts): StaffProofs<pg.PoolClient> {
  return {
    async options(staffId, binds, now) {
      const { pool, webAuthn } = parts;
      const passkeys = await livePasskeys(pool, staffId);
      if (passkeys.length === 0) return null;
      return webAuthn.assertion(
        await putChallenge(pool, { staffId, purpose: 'proof', binds }, now),
        passkeys,
      );
    },
    make: (who, by, binds, now, audits) =>
      'code' in by
        ? proveByCode(parts, who, by.code, { binds, audits }, now)
        : proveByPasskey(parts, who.staffId, by.passkey, { binds, audits }, now),
    use: useProof,
  };
}

/** In the caller's transaction; see `staff_proof_outcome`. */
export async function useProof(
  tx: pg.PoolClient,
  { proofId, staffId, binds }: { proofId: string; staffId: string; binds: ProofBinds },
): Promise<ProofOutcome> {
  const { rows } = await tx.query<{ outcome: string }>('select staff_proof_outcome($1, $2, $3) outcome', [
    proofId,
    staffId,
    sha256(canonicalBinds(binds)),
  ]);
  const outcome = proofOutcomes.find((one) => one === rows[0]?.outcome);
  if (!outcome) throw new Error(`staff_proof_outcome said ${rows[0]?.outcome}`);
  return outcome;
}

type Who = Parameters<StaffProofs<never>['make']>[0];

interface Wish {
  readonly binds: ProofBinds;
  readonly audits: Audits<ProofMade>;
}

async function proveByCode(
  { em, encryption, pool }: Parts,
  { staffId, browser: token }: Who,
  code: string,
  { binds, audits }: Wish,
  now: Date,
): Promise<ProofMade> {
  // Neither counted nor looked up: it is refused for what it is.
  if (readFactor(code)?.by === 'recovery-code') return audited(pool, refused('recovery-code'), audits);
  const { given, browser } = await countedFactor(em, staffId, { code, browser: token }, now);
  if (typeof given === 'string') return audited(pool, refused(given), audits);
  const made = await inTransaction(pool, async (tx) =>
    audited(tx, await insertByCode(tx, encryption, { staffId, binds, code: given.code }, now), audits),
  );
  if (made.made) await forgiveTries(em.fork(), staffId, browser);
  return made;
}

async function insertByCode(
  tx: pg.PoolClient,
  encryption: Encryption,
  { staffId, binds, code }: { staffId: string; binds: ProofBinds; code: string },
  now: Date,
): Promise<ProofMade> {
  const { rows } = await tx.query<{ totp_encrypted: Buffer | null; totp_bound_at: Date | null }>(
    `select totp_encrypted, totp_bound_at from staff where id = $1 and disabled_at is null for update`,
    [staffId],
  );
  const { totp_encrypted: encrypted, totp_bound_at: factorAt } = rows[0] ?? {};
  const step = encrypted ? stepOf(openSecret(encryption, encrypted, staffId), code, now) : null;
  if (step === null || !factorAt) return refused('wrong');
  if (!(await spendStep(tx, staffId, step))) return refused('used');
  return insertProof(tx, { staffId, binds, factorAt, step });
}

/** Of a login and a proof that show one code, one spends it. */
async function spendStep(tx: pg.PoolClient, staffId: string, step: number): Promise<boolean> {
  const spent = await tx.query(`update staff set totp_last_step = $2 where id = $1 and totp_last_step < $2`, [
    staffId,
    step,
  ]);
  return spent.rowCount === 1;
}

async function proveByPasskey(
  parts: Parts,
  staffId: string,
  assertion: PasskeyAssertion,
  { binds, audits }: Wish,
  now: Date,
): Promise<ProofMade> {
  const asserted = await checkAssertion(parts, { staffId, assertion, binds }, now);
  if (!asserted.right) return audited(parts.pool, refused(asserted.reason), audits);
  const { passkeyId, createdAt, nonce } = asserted;
  const proof = { staffId, binds, factorAt: createdAt, passkey: { passkeyId, nonce, assertion } };
  return inTransaction(parts.pool, async (tx) => audited(tx, await insertProof(tx, proof), audits));
}

interface NewProof {
  readonly staffId: string;
  readonly binds: ProofBinds;
  readonly factorAt: Date;
  readonly step?: number;
  readonly passkey?: {
    readonly passkeyId: string;
    readonly nonce: Buffer | null;
    readonly assertion: PasskeyAssertion;
  };
}

/** A trigger writes `at`. A step that an earlier secret of the account proved with is no less spent. */
const insert = `
insert into staff_proof (id, staff_id, by, step, passkey_id, nonce, assertion, factor_at, binds, binds_hash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (staff_id, step) do nothing returning at`;

async function insertProof(
  tx: pg.PoolClient,
  { staffId, binds, factorAt, step, passkey }: NewProof,
): Promise<ProofMade> {
  const [id, by, text] = [
    uuidv7(),
    passkey ? ('passkey' as const) : ('totp' as const),
    canonicalBinds(binds),
  ];
  const { rows } = await tx.query<{ at: Date }>(insert, [
    id,
    staffId,
    by,
    step ?? null,
    passkey?.passkeyId ?? null,
    passkey?.nonce ?? null,
    passkey ? JSON.stringify(passkey.assertion) : null,
    factorAt,
    text,
    sha256(text),
  ]);
  const [row] = rows;
  if (!row) return refused('used');
  const expiresAt = new Date(row.at.getTime() + PROOF_MINUTES * MINUTE_MS);
  return { made: true, proof: { id, by, binds, expiresAt } };
}

const refused = (reason: ProofRefusal): ProofMade => ({ made: false, reason });
