import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { decodeClientDataJSON } from '@simplewebauthn/server/helpers';
import {
  type AuthenticatorOptions,
  CHALLENGE_MINUTES,
  type PasskeyAssertion,
  type PasskeyRegistration,
} from '../../domain/staff/webauthn.ts';

const MINUTE_MS = 60_000;
const CHALLENGE_BYTES = 32;

export interface KnownPasskey {
  readonly credentialId: Uint8Array;
  readonly transports: readonly string[];
}

export interface NewCredential {
  readonly credentialId: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly counter: number;
}

/** WebAuthn Level 3 for one relying party: the board under one origin. */
export interface WebAuthn {
  registration(
    user: { readonly id: string; readonly email: string },
    challenge: Uint8Array,
    existing: readonly KnownPasskey[],
  ): Promise<AuthenticatorOptions>;
  assertion(challenge: Uint8Array, allowed: readonly KnownPasskey[]): Promise<AuthenticatorOptions>;
  /** Null where it is no registration of this challenge, at this origin, by a user who was verified. */
  verifyRegistration(given: PasskeyRegistration, challenge: Uint8Array): Promise<NewCredential | null>;
  /** The counter that it signed, which the caller compares; null likewise. */
  verifyAssertion(
    given: PasskeyAssertion,
    challenge: Uint8Array,
    passkey: { readonly credentialId: Uint8Array; readonly publicKey: Uint8Array },
  ): Promise<number | null>;
}

/** The host of the origin is the relying party's id: a passkey of it works at no other. */
export function webAuthn(origin: string): WebAuthn {
  const rpID = new URL(origin).hostname;
  const expected = { expectedOrigin: origin, expectedRPID: rpID, requireUserVerification: true };
  return { ...questions(rpID), ...answers(expected) };
}

const questions = (rpID: string): Pick<WebAuthn, 'registration' | 'assertion'> => ({
  registration: async ({ id, email }, challenge, existing) => ({
    ...(await generateRegistrationOptions({
      rpName: 'Navbat',
      rpID,
      userID: bytes(Buffer.from(id.replaceAll('-', ''), 'hex')),
      userName: email,
      userDisplayName: email,
      challenge: bytes(challenge),
      timeout: CHALLENGE_MINUTES * MINUTE_MS,
      attestationType: 'none',
      excludeCredentials: existing.map(descriptor),
      // The account is known by its password, so that a key need not keep it.
      authenticatorSelection: { userVerification: 'required', residentKey: 'discouraged' },
    })),
  }),

  assertion: async (challenge, allowed) => ({
    ...(await generateAuthenticationOptions({
      rpID,
      challenge: bytes(challenge),
      timeout: CHALLENGE_MINUTES * MINUTE_MS,
      userVerification: 'required',
      allowCredentials: allowed.map(descriptor),
    })),
  }),
});

interface Expected {
  readonly expectedOrigin: string;
  readonly expectedRPID: string;
  readonly requireUserVerification: boolean;
}

const answers = (expected: Expected): Pick<WebAuthn, 'verifyRegistration' | 'verifyAssertion'> => ({
  verifyRegistration: (given, challenge) =>
    orNull(async () => {
      if (isFramed(given)) return null;
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        ...expected,
        response: withExtensions(given),
        expectedChallenge: text(challenge),
      });
      if (!verified) return null;
      const { id, publicKey, counter } = registrationInfo.credential;
      return { credentialId: Buffer.from(id, 'base64url'), publicKey, counter };
    }),

  verifyAssertion: (given, challenge, { credentialId, publicKey }) =>
    orNull(async () => {
      if (isFramed(given)) return null;
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        ...expected,
        response: withExtensions(given),
        expectedChallenge: text(challenge),
        // Of 0 any counter is taken: the caller compares it once the signature is known to be right.
        credential: { id: text(credentialId), publicKey: bytes(publicKey), counter: 0 },
      });
      return verified ? authenticationInfo.newCounter : null;
    }),
});

/** The bytes that an authenticator says it signed; null where that can be no challenge of ours. */
export function challengeOf(given: PasskeyAssertion | PasskeyRegistration): Buffer | null {
  const { challenge } = clientDataOf(given) ?? {};
  const read = typeof challenge === 'string' ? Buffer.from(challenge, 'base64url') : null;
  return read?.length === CHALLENGE_BYTES ? read : null;
}

/** The library lets a frame of another site through that does not say whose it is. */
const isFramed = (given: PasskeyAssertion | PasskeyRegistration): boolean =>
  clientDataOf(given)?.crossOrigin === true;

function clientDataOf({ response }: PasskeyAssertion | PasskeyRegistration) {
  try {
    return decodeClientDataJSON(response.clientDataJSON);
  } catch {
    return null;
  }
}

/** It throws for whatever does not fit; nothing else in there can fail. */
async function orNull<T>(verify: () => Promise<T | null>): Promise<T | null> {
  try {
    return await verify();
  } catch {
    return null;
  }
}

const withExtensions = <Given extends PasskeyAssertion | PasskeyRegistration>(given: Given) => ({
  ...given,
  response: { ...given.response, transports: [] },
  clientExtensionResults: {},
});
const descriptor = ({ credentialId, transports }: KnownPasskey) => ({
  id: text(credentialId),
  transports: [...transports] as never[],
});
const text = (from: Uint8Array): string => Buffer.from(from).toString('base64url');
/** The library takes no view of a shared pool. */
const bytes = (from: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(from);
