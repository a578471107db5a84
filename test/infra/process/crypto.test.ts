import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { codeKeys, keyedHash } from '../../../infra/process/crypto.ts';

const verification = {
  kid: 'a',
  id: '0198c0de-0000-7000-8000-000000000001',
  projectId: '0198c0de-0000-7000-8000-000000000002',
  purpose: 'login',
};
const info = `navbat code ${verification.id}${verification.projectId}${verification.purpose}`;

test('the key of a code is HKDF of its root key, as Node derives it', () => {
  const [root, other] = [randomBytes(32), randomBytes(32)];
  const keyOf = codeKeys({
    current: 'a',
    keys: new Map([
      ['a', root],
      ['b', other],
    ]),
  });
  expect(Buffer.from(keyOf(verification))).toEqual(Buffer.from(hkdfSync('sha256', root, '', info, 20)));
  expect(Buffer.from(keyOf({ ...verification, kid: 'b' }))).toEqual(
    Buffer.from(hkdfSync('sha256', other, '', info, 20)),
  );
});

test('a root key that is gone derives nothing', () => {
  const keyOf = codeKeys({ current: 'a', keys: new Map([['a', randomBytes(32)]]) });
  expect(() => keyOf({ ...verification, kid: 'gone' })).toThrow('no root key gone');
});

test('a keyed hash is HMAC-SHA256 under the pepper, its domain apart from its text', () => {
  const pepper = randomBytes(32);
  const hash = keyedHash(pepper.toString('base64url'));
  const expected = createHmac('sha256', pepper).update('address\0+998901234567').digest();
  expect(hash('address', '+998901234567')).toEqual(expected);
  expect(hash('address', '+998901234567')).toEqual(expected);
  expect(hash('api-key', '+998901234567')).not.toEqual(expected);
});
