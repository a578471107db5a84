import { z } from 'zod';

/** 32 bytes in base64url: 43 characters, of which the last carries two bits of padding that must be zero, so that each key is written in one way. */
const Bytes32 = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'expected 32 bytes in base64url, without padding');

/**
 * A device's key for signatures: RFC 8037 (Ed25519) or RFC 7518 §6.2 (P-256). Only what makes the key is taken: a private half
 * would be a secret in the wrong hands, and any other member a second way to write the same key.
 */
export const DevicePublicKey = z
  .discriminatedUnion(
    'kty',
    [
      z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: Bytes32 }),
      z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: Bytes32, y: Bytes32 }),
    ],
    { error: 'expected a public JWK with kty OKP (Ed25519) or EC (P-256)' },
  )
  .meta({ id: 'DevicePublicKey', description: 'JWK (RFC 7517), the public half alone.' });
export type DevicePublicKey = z.infer<typeof DevicePublicKey>;

/** Raw R‖S of Ed25519 (RFC 8032), or r‖s of ES256 (RFC 7518 §3.4): either way 64 bytes. */
export const SIGNATURE_BYTES = 64;

/** 64 bytes in base64url: 86 characters, the last with four bits of padding that must be zero. */
export const SignatureText = z
  .string()
  .regex(/^[A-Za-z0-9_-]{85}[AQgw]$/, `expected ${SIGNATURE_BYTES} bytes in base64url, without padding`)
  .meta({
    description:
      'base64url of 64 bytes: the raw Ed25519 signature, or r and s of ECDSA on P-256 with SHA-256 (IEEE P1363).',
  });
