import { z } from 'zod';

/** Zero-width characters, marks of direction, soft hyphens: they come along with a copy, and nobody sees them. */
const INVISIBLE = /[\p{Cf}\uFE0F]/gu;
/** Line ends, quotes and the full stop of the sentence that a code was copied from. */
const AROUND = /^[\s\p{Pi}\p{Pf}"'`]+|[\s\p{Pi}\p{Pf}"'`.,;:!]+$/gu;
/** How people group digits, in any kind of space (not a line break, which may part two codes) and dash. */
const BETWEEN = /[\p{Zs}\t\p{Pd}\u2212]/gu;
/** The zeros of digits that phones in Arabic, Persian and full-width layouts type; nine more follow each. */
const ZEROS = [0x06_60, 0x06_f0, 0xff_10];
const OTHER_DIGIT = /[\u0660-\u0669\u06F0-\u06F9\uFF10-\uFF19]/g;

/**
 * A code as it was sent, out of what people type and paste: `123 456`, `123-456`, `“123456”.`, `１２３４５６`. What could be meant otherwise
 * stays as it is, and is then no code.
 */
export function plainCode(text: string): string {
  return text
    .replaceAll(INVISIBLE, '')
    .replaceAll(AROUND, '')
    .replaceAll(BETWEEN, '')
    .replaceAll(OTHER_DIGIT, asciiDigit);
}

function asciiDigit(digit: string): string {
  const point = digit.codePointAt(0) ?? 0;
  const zero = ZEROS.find((from) => point >= from && point < from + 10) ?? point;
  return String(point - zero);
}

/** NIST SP 800-63B-4 §3.1.3.2 asks for six digits; four and five exist where a project opts in (`domain/verify/settings.ts`). */
export const CODE_DIGITS_MIN = 4;
export const CODE_DIGITS_MAX = 8;

/** Longer than any code with what is pasted around it. */
export const TYPED_CHARACTERS_MAX = 64;

/** A code in a request: read by `plainCode` first, so that a 400 costs no check. A string: a number would lose its leading zeros. */
export function typedCode(digitsMin: number, digitsMax = digitsMin) {
  return z
    .string({ error: 'expected the code as a string of digits' })
    .max(TYPED_CHARACTERS_MAX)
    .transform(plainCode)
    .pipe(
      z.string().regex(new RegExp(`^\\d{${digitsMin},${digitsMax}}$`), expectedDigits(digitsMin, digitsMax)),
    );
}

export function expectedDigits(digitsMin: number, digitsMax = digitsMin): string {
  const digits = digitsMin === digitsMax ? `${digitsMin}` : `${digitsMin} to ${digitsMax}`;
  return `expected ${digits} digits; spaces and dashes between them and quotes around them are ignored`;
}

/** For the description of such a field. */
export const TYPED_CODE_NOTE =
  'As the person typed or pasted it: spaces, dashes, quotes and invisible characters are ignored; anything else is 400 and costs no check.';

/** Of whatever length a project lets its codes have. */
export const AnyCode = typedCode(CODE_DIGITS_MIN, CODE_DIGITS_MAX).meta({
  description: TYPED_CODE_NOTE,
  example: '123456',
});
