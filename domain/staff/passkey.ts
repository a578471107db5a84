import type { Page, PageOrder } from '../shared/page.ts';
import type { Audits } from './audit.ts';
import type { StaffMember } from './port.ts';
import type { ProofBinds, ProofOutcome } from './proof.ts';
import type { OpenedSession } from './session.ts';
import type {
  AuthenticatorOptions,
  PasskeyAssertion,
  PasskeyRefusal,
  PasskeyRegistration,
} from './webauthn.ts';

/** Of one member of staff: a phone, a laptop and some keys in drawers. */
export const PASSKEYS_MAX = 10;
export const PASSKEY_NAME_CHARACTERS_MAX = 60;

export interface Passkey {
  readonly id: string;
  readonly name: string;
  /** A new name is a new version. */
  readonly version: number;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** What a proof must bind: who gets the key, and what its authenticator said of it (SHA-256 of the attestation object, hex). */
export const registrationBinds = (staffId: string, hash: string): ProofBinds => ({
  action: 'passkey.register',
  subject: staffId,
  version: 0,
  hash,
});
export const removalBinds = ({ id, version }: Pick<Passkey, 'id' | 'version'>): ProofBinds => ({
  action: 'passkey.remove',
  subject: id,
  version,
});

export type Registered =
  | { readonly registered: true; readonly passkey: Passkey }
  | { readonly registered: false; readonly reason: PasskeyRefusal | 'taken' | 'too-many' }
  | { readonly registered: false; readonly reason: 'proof'; readonly outcome: Exclude<ProofOutcome, 'ok'> };

export type Removed =
  | { readonly removed: true }
  | { readonly removed: false; readonly reason: 'unknown' }
  | { readonly removed: false; readonly reason: 'proof'; readonly outcome: Exclude<ProofOutcome, 'ok'> };

/** Of one's own account. A TOTP stays beside them, so that none is the last second factor. */
export interface Passkeys {
  registration(staff: StaffMember, now: Date): Promise<AuthenticatorOptions>;
  /** For a proof of `registrationBinds`. */
  register(
    staffId: string,
    wish: { readonly name: string; readonly registration: PasskeyRegistration; readonly proofId: string },
    now: Date,
    audits: Audits<Registered>,
  ): Promise<Registered>;
  list(staffId: string, order: PageOrder): Promise<Page<Passkey>>;
  /** Null where there is none of that id. */
  rename(staffId: string, id: string, name: string, audits: Audits<Passkey | null>): Promise<Passkey | null>;
  /** For a proof of `removalBinds`. */
  remove(
    staffId: string,
    wish: { readonly id: string; readonly proofId: string },
    now: Date,
    audits: Audits<Removed>,
  ): Promise<Removed>;
}

export type PassedByPasskey =
  | { readonly passed: true; readonly session: OpenedSession; readonly browser: string | null }
  | { readonly passed: false; readonly reason: PasskeyRefusal | 'gone' };

/** A passkey in place of a code, after the password. Nobody can guess one, so that it is neither counted nor locked. */
export interface PasskeyLogins {
  /** Null where the session is no pending one, or its member of staff has no passkey. */
  options(token: string, now: Date): Promise<AuthenticatorOptions | null>;
  /** Makes a pending session full. */
  pass(
    token: string,
    assertion: PasskeyAssertion,
    now: Date,
    browser: string | null,
    audits: Audits<PassedByPasskey>,
  ): Promise<PassedByPasskey>;
}
