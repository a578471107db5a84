import { expect, test } from 'vitest';
import { readFactor, showRecoveryCode } from '../../../domain/staff/second-factor.ts';

test.each([
  ['123456', { by: 'totp', code: '123456' }],
  [' 123 456 ', { by: 'totp', code: '123456' }],
  ['abcd-efgh-ijkl-mn23', { by: 'recovery-code', code: 'ABCDEFGHIJKLMN23' }],
  ['ABCD EFGH IJKL MN23', { by: 'recovery-code', code: 'ABCDEFGHIJKLMN23' }],
  ['12345', null],
  ['1234567', null],
  ['ABCDEFGHIJKLMN2', null],
  ['ABCDEFGHIJKLMN234', null],
  ['ABCDEFGHIJKLMN21', null],
  ['１２３４５６', { by: 'totp', code: '123456' }],
  ['\u200b“123\u00a0456”\r\n', { by: 'totp', code: '123456' }],
  ['', null],
])('%j is read as %j', (text, given) => {
  expect(readFactor(text)).toEqual(given);
});

test('a recovery code as it is shown is read as it was made', () => {
  expect(showRecoveryCode('ABCDEFGHIJKLMN23')).toBe('ABCD-EFGH-IJKL-MN23');
  expect(readFactor(showRecoveryCode('ABCDEFGHIJKLMN23'))?.code).toBe('ABCDEFGHIJKLMN23');
});
