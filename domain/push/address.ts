import { z } from 'zod';

/** An FCM token has some 160 characters today, and Firebase promises no length. */
export const PushToken = z.string().min(1).max(1_024);
/** A Firebase installation id: 22 characters of base64url. */
export const InstallationId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{22}$/, 'expected a Firebase installation id of 22 characters');

/**
 * One device: by its registration token, or by its Firebase installation id, which Google is putting in the token's place
 * (contracts §4).
 */
export type DeviceTarget = { readonly token: string } | { readonly fid: string };

/** No token begins so: its part before the colon is itself an installation id. */
const INSTALLATION = 'fid:';

/** A device's address as it is stored, encrypted: one text, since a device has one of the two. */
export const installationAddress = (id: string): string => INSTALLATION + id;

export const deviceTarget = (address: string): DeviceTarget =>
  address.startsWith(INSTALLATION) ? { fid: address.slice(INSTALLATION.length) } : { token: address };

export const deviceAddress = (target: DeviceTarget): string =>
  'fid' in target ? installationAddress(target.fid) : target.token;
