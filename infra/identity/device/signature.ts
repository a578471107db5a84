import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { calculateJwkThumbprint } from 'jose';
import { type DevicePublicKey, SIGNATURE_BYTES } from '../../../domain/identity/device/public-key.ts';

/**
 * Whether the device that holds this key signed these bytes; a text is its UTF-8.
 *
 * @throws where the key is no point of its curve: `publicKeyFault` says so before it is kept.
 */
export function verifySignature(
  publicKey: DevicePublicKey,
  message: string | Uint8Array,
  signature: Buffer,
): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const bytes = typeof message === 'string' ? Buffer.from(message) : message;
  const key = keyOf(publicKey);
  // Ed25519 hashes by itself; ES256 names its hash, and its signature is r‖s rather than DER.
  return publicKey.crv === 'Ed25519'
    ? verify(null, bytes, key, signature)
    : verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

/** What is wrong with a key that has the right form, or null: such as a point that lies on no curve. */
export function publicKeyFault(publicKey: DevicePublicKey): string | null {
  if (publicKey.crv === 'Ed25519') return edwardsFault(Buffer.from(publicKey.x, 'base64url'));
  try {
    keyOf(publicKey);
    return null;
  } catch {
    return 'is not a point on P-256';
  }
}

/** RFC 7638, SHA-256, base64url: names a key by what it is. */
export const thumbprintOf = (publicKey: DevicePublicKey): Promise<string> =>
  calculateJwkThumbprint(publicKey, 'sha256');

const keyOf = (publicKey: DevicePublicKey): KeyObject => createPublicKey({ key: publicKey, format: 'jwk' });

/** Node leaves it to the first signature to find that a key is no point (RFC 8032 §5.1.3), and takes any point. */
function edwardsFault(encoded: Buffer): string | null {
  try {
    // For a point of small order there are signatures that fit almost any text, so that an approval by it would prove nothing.
    return ed25519.Point.fromBytes(encoded).isSmallOrder() ? 'is a point of small order' : null;
  } catch {
    return 'is not a point on Ed25519';
  }
}
