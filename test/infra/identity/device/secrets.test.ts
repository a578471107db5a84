import { expect, test } from 'vitest';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { deviceSecrets } from '../../../../infra/identity/device/secrets.ts';
import { rowEncryption } from '../../../../infra/process/crypto.ts';

const ring = (kid: string, byte: number) => ({
  current: kid,
  keys: new Map([[kid, Buffer.alloc(32, byte)]]),
});
const secrets = deviceSecrets(rowEncryption(ring('a', 1)));
const one = DeviceId.parse('01990000-0000-7000-8000-000000000001');
const other = DeviceId.parse('01990000-0000-7000-8000-000000000002');
const secret = Buffer.from('12345678901234567890');

test('a secret is opened as it was, and does not stand in its column as it is', () => {
  const encrypted = secrets.encrypt(secret, one);
  expect(Buffer.from(secrets.decrypt(encrypted, one)).equals(secret)).toBe(true);
  expect(encrypted.includes(secret)).toBe(false);
  expect(secrets.encrypt(secret, one).equals(encrypted)).toBe(false);
});

test('one that was put into another device’s row, changed, or encrypted with a key that retired opens nothing', () => {
  const encrypted = secrets.encrypt(secret, one);
  expect(() => secrets.decrypt(encrypted, other)).toThrow(/authenticate/);
  const changed = Buffer.from(encrypted);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  expect(() => secrets.decrypt(changed, one)).toThrow(/authenticate/);
  expect(() => deviceSecrets(rowEncryption(ring('b', 2))).decrypt(encrypted, one)).toThrow(/key/);
});
