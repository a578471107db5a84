import { generateSync } from 'otplib/functional';

/** NIST SP 800-63B-4 §3.1.3.2 asks for six digits; four and five exist where a project opts in (`settings.ts`). */
export const CODE_DIGITS_MIN = 4;
export const CODE_DIGITS_MAX = 8;

/**
 * HOTP (RFC 4226) of `counter` under `key`. A code of fewer digits is the tail of the eight-digit one, because HOTP is a
 * remainder modulo 10^digits.
 *
 * @param key 20 bytes or more, derived for one verification only.
 * @param counter the resend generation, from 0.
 * @param digits 4 to 8.
 */
export function hotpCode(key: Uint8Array, counter: number, digits: number): string {
  return generateSync({ strategy: 'hotp', secret: key, counter, digits: CODE_DIGITS_MAX }).slice(-digits);
}
