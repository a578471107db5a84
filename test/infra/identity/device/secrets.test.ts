import { expect, test } from 'vitest';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { deviceSecrets } from '../../../../infra/identity/device/secrets.ts';
import { sealer } from '../../../../infra/process/crypto.ts';

const ring = (kid: string, byte: number) => ({
  current: kid,
  keys: new Map([[kid, Buffer.alloc(32, byte)]]),
});
const secrets = deviceSecrets(sealer(ring('a', 1)));
const one = DeviceId.parse('01990000-0000-7000-8000-000000000001');
const other = DeviceId.parse('01990000-0000-7000-8000-000000000002');
const secret = Buffer.from('12345678901234567890');

test('a secret is opened as it was, and does not stand in its column as it is', () => {
  const sealed = secrets.seal(secret, one);
  expect(Buffer.from(secrets.open(sealed, one)).equals(secret)).toBe(true);
  expect(sealed.includes(secret)).toBe(false);
  expect(secrets.seal(secret, one).equals(sealed)).toBe(false);
});

test('one that was put into another device’s row, changed, or sealed with a key that retired opens nothing', () => {
  const sealed = secrets.seal(secret, one);
  expect(() => secrets.open(sealed, other)).toThrow(/authenticate/);
  const changed = Buffer.from(sealed);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  expect(() => secrets.open(changed, one)).toThrow(/authenticate/);
  expect(() => deviceSecrets(sealer(ring('b', 2))).open(sealed, one)).toThrow(/key/);
});
