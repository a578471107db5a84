import { generateSync } from 'otplib/functional';
import { CODE_DIGITS_MAX } from '../shared/typed-code.ts';

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
