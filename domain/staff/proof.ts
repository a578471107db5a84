import { z } from 'zod';
import type { Audits } from './audit.ts';
import { staffActions } from './role-actions.ts';
import type { FactorRefusal } from './second-factor.ts';
import type { AuthenticatorOptions, PasskeyAssertion, PasskeyRefusal } from './webauthn.ts';

/**
 * How long a proof may wait for what it approves: long enough to send a form again, too short to be collected. `staff_proof_outcome`
 * in Postgres measures it.
 */
export const PROOF_MINUTES = 5;
/** An id of ours or a SHA-256 in hex, with room for two of them. */
const SUBJECT_CHARACTERS_MAX = 200;
/** Above what any ledger here holds; a bigint of Postgres has 19 digits. */
const TOTAL_DIGITS_MAX = 18;

/** What a member of staff approves of their own account, beside what their role may do. */
const accountActions = ['passkey.register', 'passkey.remove'] as const;

/** Exactly what is approved: a proof of it approves nothing that differs in one of these. */
export const ProofBinds = z.object({
  action: z.enum([...staffActions, ...accountActions]),
  /** The id of what it is done to, so that it looks alike in every alphabet. */
  subject: z
    .string()
    .max(SUBJECT_CHARACTERS_MAX)
    .regex(/^[\x21-\x7e]+$/, { error: 'expected visible ASCII characters' }),
  /** Of the subject, as it was read: what was changed since is not approved. */
  version: z.int().min(0),
  /** SHA-256 of its content. */
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: 'expected SHA-256 in lower-case hex' })
    .optional(),
  count: z.int().min(0).optional(),
  /** In tiyin. */
  total: z
    .string()
    .max(TOTAL_DIGITS_MAX)
    .regex(/^(0|[1-9]\d*)$/, { error: 'expected an integer of tiyin' })
    .optional(),
});
export type ProofBinds = z.infer<typeof ProofBinds>;

/** RFC 8785: the bytes that are bound and signed. `staff_proof_binds` in Postgres writes the same. */
export const canonicalBinds = ({ action, count, hash, subject, total, version }: ProofBinds): string =>
  JSON.stringify({ action, count, hash, subject, total, version });

/** What is to approve: a code of the authenticator app, or what a passkey signed over the challenge of these very binds. */
export type ProvenBy = { readonly code: string } | { readonly passkey: PasskeyAssertion };

export interface StaffProof {
  readonly id: string;
  readonly by: 'totp' | 'passkey';
  readonly binds: ProofBinds;
  readonly expiresAt: Date;
}

/** A recovery code logs in, and approves nothing: it lies on paper in a drawer. */
export type ProofRefusal = FactorRefusal | PasskeyRefusal | 'recovery-code' | 'gone';
export type ProofMade =
  | { readonly made: true; readonly proof: StaffProof }
  | { readonly made: false; readonly reason: ProofRefusal };

/**
 * `unknown`: there is none, it is another's, or its maker was disabled. Only `ok` approves, and only once.
 */
export const proofOutcomes = ['ok', 'stale', 'used', 'other-subject', 'unknown'] as const;
export type ProofOutcome = (typeof proofOutcomes)[number];

/** A second factor that approves one thing once. `Tx` is the transaction that carries out what is approved. */
export interface StaffProofs<Tx> {
  /** What the authenticator is to sign: it derives from what is approved. Null where the member of staff has no passkey. */
  options(staffId: string, binds: ProofBinds, now: Date): Promise<AuthenticatorOptions | null>;
  /** A wrong code counts like one at the login; a right one is spent for both. */
  make(
    who: { readonly staffId: string; readonly browser: string | null },
    by: ProvenBy,
    binds: ProofBinds,
    now: Date,
    audits: Audits<ProofMade>,
  ): Promise<ProofMade>;
  /** Spends it in the commit of what it approves: rolled back, it is unspent. Two at the same time: one is told `ok`. */
  use(
    tx: Tx,
    proof: { readonly proofId: string; readonly staffId: string; readonly binds: ProofBinds },
  ): Promise<ProofOutcome>;
}
