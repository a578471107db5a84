import { expect, test } from 'vitest';
import {
  deviceAddress,
  type DeviceTarget,
  deviceTarget,
  InstallationId,
  installationAddress,
  PushToken,
} from '../../../domain/push/address.ts';

const fid = 'cRZ3-p_2TqW1aB9xY7kLmN';

test('an address is stored as one text and read back as what it was', () => {
  const targets: DeviceTarget[] = [{ token: 'abc:APA91b' }, { token: `${fid}:APA91b` }, { fid }];
  for (const target of targets) expect(deviceTarget(deviceAddress(target))).toEqual(target);
  expect(installationAddress(fid)).toBe(deviceAddress({ fid }));
});

test('an installation id has 22 characters of base64url', () => {
  expect(InstallationId.safeParse(fid).success).toBe(true);
  for (const id of ['', fid.slice(1), `${fid}a`, `${fid.slice(1)}+`, `${fid.slice(1)}:`, `${fid}\n`])
    expect(InstallationId.safeParse(id).success, JSON.stringify(id)).toBe(false);
});

test('a token has 1 024 characters at most, and one at least', () => {
  expect(PushToken.safeParse('t'.repeat(1_024)).success).toBe(true);
  for (const token of ['', 't'.repeat(1_025)]) expect(PushToken.safeParse(token).success).toBe(false);
});
