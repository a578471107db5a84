import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { CHALLENGE_MINUTES, CHALLENGES_MAX } from '../../../domain/staff/webauthn.ts';
import { canonicalBinds, type ProofBinds } from '../../../domain/staff/proof.ts';
import { sha256 } from '../../process/crypto.ts';

const MINUTE_MS = 60_000;
/** WebAuthn §13.4.3 asks for 16 at least. */
const RANDOM_BYTES = 32;

export type ChallengePurpose = 'register' | 'login' | 'proof';

/** What is signed for a proof: nothing but these bytes gives it, so that who signs it approves them. */
export const proofChallenge = (binds: ProofBinds, nonce: Uint8Array): Buffer =>
  sha256(Buffer.concat([Buffer.from(canonicalBinds(binds)), nonce]));

const put = `
with forgotten as (
  delete from staff_challenge where challenge = any(array(
    select challenge from staff_challenge where staff_id = $2 and purpose = $3 order by expires_at desc offset $6)))
insert into staff_challenge (challenge, staff_id, purpose, nonce, expires_at) values ($1, $2, $3, $4, $5)`;

/** Asks once: for a proof of `binds`, else for whatever the purpose says. */
export async function putChallenge(
  pool: pg.Pool,
  asked: { readonly staffId: string } & (
    | { readonly purpose: 'proof'; readonly binds: ProofBinds }
    | { readonly purpose: 'register' | 'login' }
  ),
  now: Date,
): Promise<Buffer> {
  const random = randomBytes(RANDOM_BYTES);
  const isProof = asked.purpose === 'proof';
  const challenge = isProof ? proofChallenge(asked.binds, random) : random;
  const expiresAt = new Date(now.getTime() + CHALLENGE_MINUTES * MINUTE_MS);
  await pool.query(put, [
    challenge,
    asked.staffId,
    asked.purpose,
    isProof ? random : null,
    expiresAt,
    CHALLENGES_MAX - 1,
  ]);
  return challenge;
}

/** Whatever becomes of the answer, nobody is asked this again; null where nobody was, or too long ago. */
export async function takeChallenge(
  pool: pg.Pool,
  { challenge, staffId, purpose }: { challenge: Buffer; staffId: string; purpose: ChallengePurpose },
  now: Date,
): Promise<{ readonly nonce: Buffer | null } | null> {
  const { rows } = await pool.query<{ nonce: Buffer | null; expires_at: Date }>(
    `delete from staff_challenge where challenge = $1 and staff_id = $2 and purpose = $3 returning nonce, expires_at`,
    [challenge, staffId, purpose],
  );
  const [row] = rows;
  return row && row.expires_at > now ? { nonce: row.nonce } : null;
}
