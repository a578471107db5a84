import type { DeviceId } from '../../../domain/identity/device/device.ts';
import type { Seal } from '../../process/crypto.ts';

/** How a device's TOTP secret stands in its columns of `device`: sealed as base64url, and bound to the device's id. */
export interface DeviceSecrets {
  seal(secret: Uint8Array, deviceId: DeviceId): Buffer;
  /** @throws when it was changed, belongs to another device, or its wrapping key retired. */
  open(sealed: Buffer, deviceId: DeviceId): Uint8Array;
}

export function deviceSecrets(sealer: Seal): DeviceSecrets {
  return {
    seal: (secret, deviceId) => sealer.seal(Buffer.from(secret).toString('base64url'), deviceId),
    open: (sealed, deviceId) => Buffer.from(sealer.open(sealed, deviceId), 'base64url'),
  };
}
