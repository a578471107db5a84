import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { type DevicePublicKey, SIGNATURE_BYTES } from '../domain/device/public-key.ts';

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

/** RFC 8032 §5.1: the field of Ed25519, and its curve −x² + y² = 1 + d·x²·y². */
const P = 2n ** 255n - 19n;
const D = (-121_665n * power(121_666n, P - 2n)) % P;

/**
 * The y of the eight points of small order. For such a key there are signatures that fit almost any text, so that an approval by it
 * would prove nothing.
 */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  P - 1n,
  littleEndian(Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex')),
  littleEndian(Buffer.from('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', 'hex')),
]);

/** RFC 8032 §5.1.3, which Node leaves to the first signature: y below the prime, and an x for it. */
function edwardsFault(encoded: Buffer): string | null {
  // The topmost bit is the sign of x.
  const y = littleEndian(encoded) & (2n ** 255n - 1n);
  const ySquared = y * y;
  const u = (ySquared - 1n) % P;
  const v = (D * ySquared + 1n) % P;
  // x² = u/v has a root where u·v is a square (Euler).
  const isSquare = power(u * v, (P - 1n) / 2n) === 1n;
  if (SMALL_ORDER_Y.has(y)) return 'is a point of small order';
  return y < P && isSquare ? null : 'is not a point on Ed25519';
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = modulo(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

function modulo(value: bigint): bigint {
  return ((value % P) + P) % P;
}

function littleEndian(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
