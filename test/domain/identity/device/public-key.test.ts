import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { DevicePublicKey, SignatureText } from '../../../../domain/identity/device/public-key.ts';

const ed = generateKeyPairSync('ed25519');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const takes = (jwk: object) => DevicePublicKey.safeParse(jwk).success;

test('a public key of either sort is taken as Node writes it', () => {
  for (const { publicKey } of [ed, ec]) {
    const jwk = publicKey.export({ format: 'jwk' });
    expect(DevicePublicKey.parse(jwk)).toEqual(jwk);
  }
});

test('a private half, another curve and any other member are refused', () => {
  const jwk = ed.publicKey.export({ format: 'jwk' });
  expect(takes(ed.privateKey.export({ format: 'jwk' }))).toBe(false);
  expect(takes({ ...jwk, kid: 'x' })).toBe(false);
  expect(takes({ ...jwk, crv: 'X25519' })).toBe(false);
  expect(takes({ ...jwk, x: undefined })).toBe(false);
  const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  expect(takes(other.publicKey.export({ format: 'jwk' }))).toBe(false);
  expect(
    takes(generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({ format: 'jwk' })),
  ).toBe(false);
});

test('each key is written in one way: bits of padding that are not zero are refused', () => {
  const x = Buffer.alloc(32).toString('base64url');
  expect(takes({ kty: 'OKP', crv: 'Ed25519', x })).toBe(true);
  for (const other of [`${x.slice(0, 42)}B`, `${x}=`, x.slice(1), `${x}A`, `${x.slice(0, 42)}/`])
    expect(takes({ kty: 'OKP', crv: 'Ed25519', x: other }), other).toBe(false);
});

test('a signature is 64 bytes, written in one way', () => {
  const text = sign(null, Buffer.from('x'), ed.privateKey).toString('base64url');
  expect(SignatureText.parse(text)).toBe(text);
  for (const other of ['', text.slice(1), `${text}==`, `${text.slice(0, 85)}B`, `${text}\n`])
    expect(SignatureText.safeParse(other).success, other).toBe(false);
  // The same in DER, as many libraries make it, is none.
  const der = sign('sha256', Buffer.from('x'), ec.privateKey).toString('base64url');
  expect(SignatureText.safeParse(der).success).toBe(false);
});
