import { z } from 'zod';

/** To find the key and touch it. WebAuthn §15.1 recommends 5 to 10 minutes where users may be slow. */
export const CHALLENGE_MINUTES = 5;
/** Asked and not answered yet, of one member of staff and purpose; the oldest is forgotten. */
export const CHALLENGES_MAX = 10;
/** WebAuthn §4: credential ids have at most 1 023 bytes, so 1 364 characters. */
const CREDENTIAL_ID_CHARACTERS_MAX = 1_364;
/** A statement of attestation with its certificates; without attestation it is some hundred bytes. */
const PART_CHARACTERS_MAX = 16_384;
/** WebAuthn §5.8.4 knows six. */
const TRANSPORTS_MAX = 8;

const base64url = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[A-Za-z0-9_-]+$/, { error: 'expected base64url without padding' });
const credentialId = base64url(CREDENTIAL_ID_CHARACTERS_MAX);
const part = base64url(PART_CHARACTERS_MAX);

/** `RegistrationResponseJSON` (WebAuthn §5.1), as `credential.toJSON()` writes it; more fields are ignored. */
export const PasskeyRegistration = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: part,
    attestationObject: part,
    transports: z
      .array(z.string().regex(/^[a-z-]{1,20}$/, 'expected a transport, such as internal'))
      .max(TRANSPORTS_MAX)
      .optional(),
  }),
});
export type PasskeyRegistration = z.infer<typeof PasskeyRegistration>;

/** `AuthenticationResponseJSON` (WebAuthn §5.1). */
export const PasskeyAssertion = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({ clientDataJSON: part, authenticatorData: part, signature: part }),
});
export type PasskeyAssertion = z.infer<typeof PasskeyAssertion>;

/**
 * Why an answer of an authenticator is not taken. `challenge`: nobody asked that, it has expired or was answered already. `binds`: it
 * signed something else. `passkey`: it is none of this member of staff's. `clone`: its counter went back, so that two hold its key.
 */
export const passkeyRefusals = ['challenge', 'binds', 'passkey', 'signature', 'clone'] as const;
export type PasskeyRefusal = (typeof passkeyRefusals)[number];

/** For `navigator.credentials`, as JSON (WebAuthn §5.1). */
export type AuthenticatorOptions = Readonly<Record<string, unknown>>;
