import type { DeviceId } from '../../../domain/identity/device/device.ts';
import type { Encryption } from '../../process/crypto.ts';

/** How a device's TOTP secret stands in its columns of `device`: encrypted as base64url, and bound to the device's id. */
export interface DeviceSecrets {
  encrypt(secret: Uint8Array, deviceId: DeviceId): Buffer;
  /** @throws when it was changed, belongs to another device, or its wrapping key retired. */
  decrypt(encrypted: Buffer, deviceId: DeviceId): Uint8Array;
}

export function deviceSecrets(rowEncryption: Encryption): DeviceSecrets {
  return {
    encrypt: (secret, deviceId) => rowEncryption.encrypt(Buffer.from(secret).toString('base64url'), deviceId),
    decrypt: (encrypted, deviceId) => Buffer.from(rowEncryption.decrypt(encrypted, deviceId), 'base64url'),
  };
}
