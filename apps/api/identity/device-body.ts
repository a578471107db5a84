import { z } from 'zod';
import { DEVICES_MAX, type DeviceId } from '../../../domain/identity/device/device.ts';
import { base32, otpauthUri } from '../../../domain/shared/otpauth.ts';
import type { DeviceView } from '../../../domain/identity/device/port.ts';
import { TOTP_DIGITS, TOTP_STEP_SECONDS } from '../../../domain/shared/totp.ts';
import { TYPED_CODE_NOTE, typedCode } from '../../../domain/shared/typed-code.ts';
import { InstallationId, installationAddress, PushToken } from '../../../domain/push/address.ts';
import { Time } from '../../../domain/shared/time.ts';
import { Problem } from '../../http/problem.ts';

export const DeviceBody = z
  .object({
    id: z.uuid(),
    kind: z.enum(['app', 'authenticator']),
    name: z.string(),
    platform: z.string().nullable(),
    has_push_address: z.boolean(),
    this_device: z.boolean().meta({ description: 'It is the one that asks.' }),
    rotation_wanted: z.boolean().meta({
      description: 'It should fetch a new secret for its codes; an authenticator should be replaced.',
    }),
    bound_at: Time,
    last_used_at: Time.nullable(),
  })
  .meta({ id: 'Device' });

export function deviceBody(device: DeviceView, caller: DeviceId | null) {
  return {
    id: device.id,
    kind: device.kind,
    name: device.name,
    platform: device.platform,
    has_push_address: device.hasPushAddress,
    this_device: device.id === caller,
    rotation_wanted: device.rotationWanted,
    bound_at: device.boundAt,
    last_used_at: device.lastUsedAt,
  };
}

export const TotpCode = typedCode(TOTP_DIGITS).meta({
  description: `The code that the new secret gives now (RFC 6238). ${TYPED_CODE_NOTE}`,
  example: '123456',
});

export const TotpBody = z
  .object({
    secret: z.string().meta({ description: 'Base32 (RFC 4648), told this once.' }),
    uri: z.string().meta({ description: 'The same for an authenticator app.' }),
    digits: z.int(),
    period: z.int().meta({ description: 'Seconds.' }),
    algorithm: z.literal('SHA1'),
  })
  .meta({ id: 'TotpSecret' });

export function totpBody(secret: Uint8Array, account: string): z.infer<typeof TotpBody> {
  return {
    secret: base32(secret),
    uri: otpauthUri(account, secret),
    digits: TOTP_DIGITS,
    period: TOTP_STEP_SECONDS,
    algorithm: 'SHA1',
  };
}

/** One of the two, or neither. */
export const PushFields = {
  push_token: PushToken.optional().meta({ description: 'FCM registration token. Stored encrypted.' }),
  installation_id: InstallationId.optional().meta({
    description: 'Firebase installation id, in place of the token.',
  }),
};
interface PushGiven {
  readonly push_token?: string | null | undefined;
  readonly installation_id?: string | undefined;
}
export const onePushAddress = (body: PushGiven) => !body.push_token || body.installation_id === undefined;
export const twoPushAddresses = {
  error: 'expected push_token or installation_id, and not both',
  path: ['installation_id'],
};

/** Undefined where nothing is said of it. */
export function pushAddressOf({ push_token, installation_id }: PushGiven): string | null | undefined {
  return installation_id === undefined ? push_token : installationAddress(installation_id);
}

export const tooManyDevices = () =>
  new Problem(
    409,
    'too-many-devices',
    `A person has ${DEVICES_MAX} devices at the most. Revoke one of them first.`,
  );
