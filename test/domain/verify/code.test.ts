import { hkdfSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hotpCode } from '../../../domain/verify/code.ts';
import { codeOf } from '../../../infra/verify/codes.ts';
import { codeKeys } from '../../../infra/process/crypto.ts';

/** RFC 4226 appendix D. */
const secret = new TextEncoder().encode('12345678901234567890');
const vectors = [
  '755224',
  '287082',
  '359152',
  '969429',
  '338314',
  '254676',
  '287922',
  '162583',
  '399871',
  '520489',
];

describe('hotpCode', () => {
  test.each(vectors.map((code, counter) => ({ code, counter })))(
    'gives $code of RFC 4226 at counter $counter',
    ({ code, counter }) => {
      expect(hotpCode(secret, counter, 6)).toBe(code);
    },
  );

  test('takes the remainder modulo 10^digits for every length', () => {
    // The truncated value of counter 0 is 1284755224 (RFC 4226 appendix D).
    expect([4, 5, 6, 7, 8].map((digits) => hotpCode(secret, 0, digits))).toEqual([
      '5224',
      '55224',
      '755224',
      '4755224',
      '84755224',
    ]);
  });
});

describe('codes of verifications', () => {
  const ring = {
    current: 'k1',
    keys: new Map([
      ['k1', Buffer.alloc(32, 7)],
      ['k2', Buffer.alloc(32, 8)],
    ]),
  };
  const of = codeOf(ring);
  const verification = {
    id: '0198f3a0-0000-7000-8000-000000000001',
    projectId: '0198f3a0-0000-7000-8000-0000000000aa',
    purpose: 'login',
    codeKid: 'k1',
    codeGeneration: 0,
    codeLength: 8,
  };

  test('are HOTP under HKDF of the root key, the id, the project and the purpose', () => {
    const info = `navbat code ${verification.id}${verification.projectId}login`;
    const key = new Uint8Array(hkdfSync('sha256', Buffer.alloc(32, 7), '', info, 20));
    expect(of(verification as never)).toBe(hotpCode(key, 0, 8));
  });

  test.each([
    { what: 'another verification', change: { id: '0198f3a0-0000-7000-8000-000000000002' } },
    { what: 'another project', change: { projectId: '0198f3a0-0000-7000-8000-0000000000ab' } },
    { what: 'another purpose', change: { purpose: 'payout' } },
    { what: 'another generation', change: { codeGeneration: 1 } },
    { what: 'another root key', change: { codeKid: 'k2' } },
  ])('differ for $what', ({ change }) => {
    expect(of({ ...verification, ...change } as never)).not.toBe(of(verification as never));
  });

  test('of a retired root key can no longer be made', () => {
    expect(() => codeKeys(ring)({ kid: 'k0', id: 'x', projectId: 'y', purpose: 'z' })).toThrow('k0');
  });
});
