import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { DevicePublicKey } from '../../../../domain/identity/device/public-key.ts';
import { approvalSignatureHolds } from '../../../../infra/identity/device/approval-signature.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const key = DevicePublicKey.parse(publicKey.export({ format: 'jwk' }));
const signed = (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64url');

test('a device signs the canonical statement under the line of approvals', () => {
  const signature = signed('navbat-approval-v1\n{"a":1,"b":"x"}');
  expect(approvalSignatureHolds(key, { b: 'x', a: 1 }, signature)).toBe(true);
  expect(approvalSignatureHolds(key, { b: 'x', a: 2 }, signature)).toBe(false);
  expect(approvalSignatureHolds(key, { b: 'x', a: 1, c: null }, signature)).toBe(false);
});

test('what it signed when it was bound or signed in approves nothing', () => {
  for (const line of ['navbat-device-v1', 'navbat-sign-in-v1'])
    expect(approvalSignatureHolds(key, { a: 1 }, signed(`${line}\n{"a":1}`)), line).toBe(false);
  expect(approvalSignatureHolds(key, { a: 1 }, signed('{"a":1}'))).toBe(false);
  expect(approvalSignatureHolds(key, { a: 1 }, '')).toBe(false);
});
