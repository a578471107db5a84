import { expect, test } from 'vitest';
import { base32, otpauthUri } from '../../../domain/shared/otpauth.ts';

test('a secret is written as RFC 4648 has it, without padding', () => {
  for (const [text, written] of [
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foobar', 'MZXW6YTBOI'],
  ] as const)
    expect(base32(Buffer.from(text))).toBe(written);
});

test('an authenticator app reads the secret, the issuer and the account, whatever is in the account’s name', () => {
  const secret = Buffer.from('12345678901234567890');
  for (const account of ['+998901234567', 'a b&c=d', 'Azizaʼs phone']) {
    const uri = new URL(otpauthUri(account, secret));
    expect(uri.protocol).toBe('otpauth:');
    expect(uri.host).toBe('totp');
    expect(decodeURIComponent(uri.pathname)).toContain(account);
    expect(uri.searchParams.get('secret')).toBe(base32(secret));
    expect(uri.searchParams.get('issuer')).toBe('Navbat');
  }
});

test('what is not the default of every app is not asked for', () => {
  const uri = new URL(otpauthUri('a', Buffer.alloc(20)));
  expect(uri.searchParams.get('algorithm') ?? 'SHA1').toBe('SHA1');
  expect(uri.searchParams.get('digits') ?? '6').toBe('6');
  expect(uri.searchParams.get('period') ?? '30').toBe('30');
});
