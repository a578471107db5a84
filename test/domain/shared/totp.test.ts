import { randomBytes, randomInt } from 'node:crypto';
import { TOTP } from 'totp-generator';
import { describe, expect, test } from 'vitest';
import { base32 } from '../../support/bound-person.ts';
import { acceptedSteps, TOTP_SECRET_BYTES, totpCode, totpStep } from '../../../domain/shared/totp.ts';

/** RFC 6238 appendix B, the rows of SHA-1: a time in Unix seconds, and the code of eight digits whose last six are ours. */
const vectors = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
] as const;
const vectorSecret = Buffer.from('12345678901234567890');

test.each(vectors)('the vector of RFC 6238 at %i s is %s', (seconds, code) => {
  expect(totpCode(vectorSecret, totpStep(new Date(seconds * 1_000)))).toBe(code.slice(-6));
});

test('any secret at any time gives the code of another implementation', async () => {
  for (let round = 0; round < 200; round++) {
    const secret = randomBytes(TOTP_SECRET_BYTES);
    const at = new Date(randomInt(0, 2 ** 42));
    const { otp } = await TOTP.generate(base32(secret), { timestamp: at.getTime(), explicitZeroPad: true });
    expect(totpCode(secret, totpStep(at)), `${secret.toString('hex')} at ${at.toISOString()}`).toBe(otp);
  }
});

describe('the steps that are accepted', () => {
  const at = (seconds: number) => totpStep(new Date(seconds * 1_000));

  test('are the one of now, the one before and the one after', () => {
    expect(acceptedSteps(new Date(59_000)).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    expect(acceptedSteps(new Date(59_000))[0]).toBe(at(59));
  });

  test('change at the half minute, to the millisecond', () => {
    expect(totpStep(new Date(29_999))).toBe(0);
    expect(totpStep(new Date(30_000))).toBe(1);
  });
});
