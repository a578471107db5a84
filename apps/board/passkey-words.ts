import { z } from 'zod';
import type { PasskeyRefusal } from '../../domain/staff/webauthn.ts';
import { Problem } from '../http/problem.ts';

/** Exhaustive on purpose: a new refusal does not compile until it has a sentence. */
export const passkeyWords = {
  challenge: 'This challenge is unknown, has expired or was answered already. Ask for options again.',
  binds: 'The passkey signed something else than these binds.',
  passkey: 'This passkey is none of yours, or was removed.',
  signature:
    'The signature does not fit: it must be of this challenge, at the origin of STAFF_ORIGIN, by a user whom the authenticator verified.',
  clone:
    'The counter of this passkey went back: it may have been copied. Remove it and register another one.',
} as const satisfies Record<PasskeyRefusal, string>;

export const noPasskey = (): Problem =>
  new Problem(409, 'no-passkey', 'You have no passkey. Send a code of the app.');

export const AuthenticatorOptions = z.object({
  options: z.record(z.string(), z.unknown()).meta({
    description:
      'As `publicKey` for `navigator.credentials`, in the JSON form of WebAuthn (binary as base64url).',
    example: { challenge: 'x2Vt…', rpId: 'board.example.uz', userVerification: 'required' },
  }),
});
