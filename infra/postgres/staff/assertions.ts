import type pg from 'pg';
import type { PasskeyAssertion, PasskeyRefusal } from '../../../domain/staff/webauthn.ts';
import type { ProofBinds } from '../../../domain/staff/proof.ts';
import { challengeOf, type KnownPasskey, type WebAuthn } from '../../staff/webauthn.ts';
import { proofChallenge, takeChallenge } from './challenges.ts';

export interface AssertionParts {
  readonly pool: pg.Pool;
  readonly webAuthn: WebAuthn;
}

export type Asserted =
  | {
      readonly right: true;
      readonly passkeyId: string;
      readonly createdAt: Date;
      /** Of a proof's challenge. */
      readonly nonce: Buffer | null;
    }
  | { readonly right: false; readonly reason: PasskeyRefusal };

/** The passkeys that open something. */
export async function livePasskeys(pool: pg.Pool, staffId: string): Promise<readonly KnownPasskey[]> {
  const { rows } = await pool.query<{ credential_id: Buffer; transports: string[] }>(
    `select credential_id, transports from staff_passkey where staff_id = $1 and removed_at is null order by id`,
    [staffId],
  );
  return rows.map(({ credential_id, transports }) => ({ credentialId: credential_id, transports }));
}

const find = `
select id, public_key, created_at from staff_passkey
where credential_id = $1 and staff_id = $2 and removed_at is null`;

/** WebAuthn §7.2 step 22. Of two answers with one counter, one moves it. */
const count = `
update staff_passkey set counter = $2, last_used_at = $3
where id = $1 and removed_at is null and (counter < $2 or (counter = 0 and $2 = 0))`;

/** Whether a passkey of this member of staff answered what was asked of it. Each question is answered once, rightly or wrongly. */
export async function checkAssertion(
  { pool, webAuthn }: AssertionParts,
  asked: {
    readonly staffId: string;
    readonly assertion: PasskeyAssertion;
    /** A login's where it binds nothing. */
    readonly binds: ProofBinds | null;
  },
  now: Date,
): Promise<Asserted> {
  const { staffId, assertion, binds } = asked;
  const challenge = challengeOf(assertion);
  const purpose = binds ? 'proof' : 'login';
  const taken = challenge && (await takeChallenge(pool, { challenge, staffId, purpose }, now));
  if (!taken) return { right: false, reason: 'challenge' };
  const { nonce } = taken;
  if (binds && !(nonce && proofChallenge(binds, nonce).equals(challenge)))
    return { right: false, reason: 'binds' };

  const credentialId = Buffer.from(assertion.id, 'base64url');
  const { rows } = await pool.query<{ id: string; public_key: Buffer; created_at: Date }>(find, [
    credentialId,
    staffId,
  ]);
  const [passkey] = rows;
  if (!passkey) return { right: false, reason: 'passkey' };
  const known = { credentialId, publicKey: passkey.public_key };
  const counter = await webAuthn.verifyAssertion(assertion, challenge, known);
  if (counter === null) return { right: false, reason: 'signature' };
  const counted = await pool.query(count, [passkey.id, counter, now]);
  if (counted.rowCount === 0) return { right: false, reason: 'clone' };
  return { right: true, passkeyId: passkey.id, createdAt: passkey.created_at, nonce };
}
