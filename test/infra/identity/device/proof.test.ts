import { generateKeyPairSync, sign } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { expect, test } from 'vitest';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { DevicePublicKey } from '../../../../domain/identity/device/public-key.ts';
import { isDeviceProof } from '../../../../infra/identity/device/proof.ts';

const { publicKey: made, privateKey } = generateKeyPairSync('ed25519');
const publicKey = DevicePublicKey.parse(made.export({ format: 'jwk' }));
const deviceId = DeviceId.parse('01990000-0000-7000-8000-000000000001');
const thumbprint = await calculateJwkThumbprint(publicKey);
const statement = `{"device":"${deviceId}","nonce":"n","public_key":"${thumbprint}"}`;
const signed = (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64url');
const proof = { deviceId, nonce: 'n', publicKey, signature: signed(`navbat-device-v1\n${statement}`) };

test('a device proves its key over its own id and the nonce that it was told', async () => {
  expect(await isDeviceProof(proof)).toBe(true);
});

test('a proof with another nonce, of another device, by another key or under another line is none', async () => {
  const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  expect(await isDeviceProof({ ...proof, nonce: 'm' })).toBe(false);
  expect(
    await isDeviceProof({ ...proof, deviceId: DeviceId.parse('01990000-0000-7000-8000-000000000002') }),
  ).toBe(false);
  expect(await isDeviceProof({ ...proof, publicKey: DevicePublicKey.parse(other) })).toBe(false);
  expect(await isDeviceProof({ ...proof, signature: signed(`navbat-approval-v1\n${statement}`) })).toBe(
    false,
  );
});
