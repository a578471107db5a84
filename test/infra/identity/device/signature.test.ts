import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, test } from 'vitest';
import { DevicePublicKey } from '../../../../domain/identity/device/public-key.ts';
import {
  publicKeyFault,
  thumbprintOf,
  verifySignature,
} from '../../../../infra/identity/device/signature.ts';
import { statementBytes } from '../../../../infra/identity/device/statement.ts';

const keys = {
  Ed25519: generateKeyPairSync('ed25519'),
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const curves = ['Ed25519', 'P-256'] as const;
type Curve = (typeof curves)[number];

const publicOf = (curve: Curve) => DevicePublicKey.parse(keys[curve].publicKey.export({ format: 'jwk' }));
const signed = (curve: Curve, text: string) =>
  curve === 'Ed25519'
    ? sign(null, Buffer.from(text), keys[curve].privateKey)
    : sign('sha256', Buffer.from(text), { key: keys[curve].privateKey, dsaEncoding: 'ieee-p1363' });

const STATEMENT = statementBytes('navbat-device-v1', { nonce: 'abc', device: 'd1' });

describe.each(curves)('%s', (curve) => {
  test('the right signature passes, over a text and over its bytes', () => {
    const signature = signed(curve, STATEMENT);
    expect(signature).toHaveLength(64);
    expect(verifySignature(publicOf(curve), STATEMENT, signature)).toBe(true);
    expect(verifySignature(publicOf(curve), Buffer.from(STATEMENT), signature)).toBe(true);
  });

  test('no other text, key, length or bit does', () => {
    const signature = signed(curve, STATEMENT);
    const other = DevicePublicKey.parse(
      (curve === 'Ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: 'P-256' })
      ).publicKey.export({ format: 'jwk' }),
    );
    expect(verifySignature(publicOf(curve), `${STATEMENT} `, signature)).toBe(false);
    expect(verifySignature(other, STATEMENT, signature)).toBe(false);
    expect(verifySignature(publicOf(curve), STATEMENT, signature.subarray(0, 63))).toBe(false);
    expect(verifySignature(publicOf(curve), STATEMENT, Buffer.concat([signature, Buffer.of(0)]))).toBe(false);
    const flipped = Buffer.from(signature);
    flipped[5] = (flipped[5] ?? 0) ^ 1;
    expect(verifySignature(publicOf(curve), STATEMENT, flipped)).toBe(false);
    expect(verifySignature(publicOf(curve), STATEMENT, Buffer.alloc(64))).toBe(false);
  });

  test('its own keys have no fault, however many', () => {
    for (let n = 0; n < 50; n++) {
      const pair =
        curve === 'Ed25519'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('ec', { namedCurve: 'P-256' });
      expect(publicKeyFault(DevicePublicKey.parse(pair.publicKey.export({ format: 'jwk' })))).toBeNull();
    }
  });
});

test('a signature on P-256 in DER is refused', () => {
  const der = sign('sha256', Buffer.from(STATEMENT), keys['P-256'].privateKey);
  expect(verifySignature(publicOf('P-256'), STATEMENT, der)).toBe(false);
});

/** RFC 8032 §7.1, test 2, and RFC 8037 appendix A. */
test('signatures and thumbprints of the RFCs pass', async () => {
  const rfc8032 = DevicePublicKey.parse({
    kty: 'OKP',
    crv: 'Ed25519',
    x: Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex').toString(
      'base64url',
    ),
  });
  const signature = Buffer.from(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    'hex',
  );
  expect(publicKeyFault(rfc8032)).toBeNull();
  expect(verifySignature(rfc8032, Buffer.of(0x72), signature)).toBe(true);
  const rfc8037 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
  expect(await thumbprintOf(rfc8037)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  expect(await thumbprintOf(publicOf('P-256'))).toBe(
    await calculateJwkThumbprint(keys['P-256'].publicKey.export({ format: 'jwk' })),
  );
});

describe('what is no key of ours', () => {
  const ed = (hex: string) => ({
    kty: 'OKP' as const,
    crv: 'Ed25519' as const,
    x: Buffer.from(hex, 'hex').toString('base64url'),
  });
  const zeros = (bytes: number) => '00'.repeat(bytes);

  test.each([
    ['the neutral point', `01${zeros(31)}`, 'small order'],
    ['a point of order 2', `ec${'ff'.repeat(30)}7f`, 'small order'],
    ['a point of order 4', zeros(32), 'small order'],
    ['a point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85', 'small order'],
    ['a y with no x', `02${zeros(31)}`, 'not a point'],
    ['the prime itself', `ed${'ff'.repeat(30)}7f`, 'not a point'],
    ['a y beyond the prime', `f0${'ff'.repeat(30)}7f`, 'not a point'],
  ])('%s', (_what, hex, fault) => {
    expect(publicKeyFault(ed(hex))).toContain(fault);
  });

  test('coordinates off P-256', () => {
    const { x } = publicOf('P-256');
    expect(publicKeyFault({ kty: 'EC', crv: 'P-256', x, y: x })).toContain('not a point');
  });

  const good = publicOf('Ed25519');
  const goodEc = publicOf('P-256');
  test.each([
    [
      'a private half',
      createPrivateKey(keys.Ed25519.privateKey.export({ type: 'pkcs8', format: 'pem' })).export({
        format: 'jwk',
      }),
    ],
    ['another member', { ...good, kid: 'mine' }],
    ['another curve', { kty: 'EC', crv: 'P-384', x: goodEc.x, y: 'y' in goodEc ? goodEc.y : '' }],
    ['a curve of another type', { ...goodEc, kty: 'OKP' }],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' })],
    ['a symmetric key', { kty: 'oct', k: good.x }],
    ['31 bytes', { ...good, x: good.x.slice(0, 42) }],
    ['padding', { ...good, x: `${good.x}=` }],
    ['bits beyond the 32nd byte', { ...good, x: `${good.x.slice(0, 42)}B` }],
    ['no y', { kty: 'EC', crv: 'P-256', x: goodEc.x }],
    ['nothing', null],
  ])('%s is refused by the schema', (_what, jwk) => {
    expect(DevicePublicKey.safeParse(jwk).success).toBe(false);
  });
});

test('the bytes of a statement do not depend on the order of its members', () => {
  expect(STATEMENT).toBe('navbat-device-v1\n{"device":"d1","nonce":"abc"}');
  expect(statementBytes('navbat-approval-v1', { b: 1, a: { d: null, c: 'ü€' } })).toBe(
    'navbat-approval-v1\n{"a":{"c":"ü€","d":null},"b":1}',
  );
  expect(() => statementBytes('navbat-approval-v1', { a: '\ud800' })).toThrow('surrogate');
});
