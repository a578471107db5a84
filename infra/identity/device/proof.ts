import type { BinderDeps } from '../../../domain/identity/device/binding.ts';
import { thumbprintOf, verifySignature } from './signature.ts';
import { statementBytes } from './statement.ts';

/** A device's first signature: over its own id and key, and over a nonce that it was told a moment ago. */
export const isDeviceProof: BinderDeps['isSigned'] = async ({ deviceId, nonce, publicKey, signature }) => {
  const statement = { device: deviceId, nonce, public_key: await thumbprintOf(publicKey) };
  return verifySignature(
    publicKey,
    statementBytes('navbat-device-v1', statement),
    Buffer.from(signature, 'base64url'),
  );
};
