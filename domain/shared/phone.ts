import { parsePhoneNumberFromString, type PhoneNumber } from 'libphonenumber-js/max';
import { z } from 'zod';

export interface PhoneFacts {
  readonly e164: Phone;
  /** ISO 3166-1 alpha-2, or null for numbers of no country (satellite, international networks) or of a range that nobody listed. */
  readonly country: string | null;
  /** Digits of the number without its last four: what toll fraud shares and honest people do not. */
  readonly prefix: string;
  /** The caller pays many times the price of a message: none is sent there. */
  readonly isPremiumRate: boolean;
}

/** E.164 (ITU-T) with the leading plus: the one form that every provider agrees on. */
export const Phone = z.string().brand<'Phone'>();
export type Phone = z.infer<typeof Phone>;

export type PhoneReading =
  | { readonly ok: true; readonly phone: PhoneFacts }
  | { readonly ok: false; readonly fault: 'no-phone' | 'extension'; readonly meant: Phone | null };

const EXAMPLE = '+998901234567';

/** What to tell of a field that holds no number; `orElse` says what else it takes. */
export function phoneFault({ fault, meant }: Extract<PhoneReading, { ok: false }>, orElse = ''): string {
  if (fault === 'extension')
    return `expected a phone number without an extension, such as ${EXAMPLE}: no message reaches one`;
  const hint = meant === null ? '' : `; did you mean ${meant}?`;
  return `expected a phone number in international form, such as ${EXAMPLE}${orElse}${hint}`;
}

/**
 * Reads a number in international form as people paste it: spaces, dashes, dots and brackets, `tel:`, `00` for the plus, full-width
 * digits, invisible marks of direction. What could be another number (without a plus: a national one) is refused with what was
 * expected, and so is an extension, which would be lost.
 *
 * Ranges and types of numbers are hints of a list that is always behind the operators: new ranges (+998 55 was one of landlines) are
 * somebody's mobile. A number need only have the length of its country.
 */
export function readPhone(input: string): PhoneReading {
  const text = plainNumber(input)
    .replace(/^tel:/i, '')
    .replace(/^00[\s.-]*(?=[1-9])/, '+');
  const parsed = parsePhoneNumberFromString(text, { extract: false });
  if (parsed?.ext !== undefined) return { ok: false, fault: 'extension', meant: null };
  if (parsed?.isPossible()) return { ok: true, phone: factsOf(parsed) };
  return { ok: false, fault: 'no-phone', meant: meantBy(text) };
}

/** The facts of `readPhone`; null when no such number can exist. */
export function parsePhone(input: string): PhoneFacts | null {
  const read = readPhone(input);
  return read.ok ? read.phone : null;
}

/** E.164's least and most digits, country code included. */
const DIGITS_OF_E164 = /^\+?([1-9]\d{6,14})$/;

/**
 * Reads a number as Telegram gives it: international, on most clients without the plus. Whom Telegram says it belongs to has it,
 * whatever lists of numbers say; its anonymous numbers (+888) are in none.
 */
export function readTelegramPhone(input: string): PhoneReading {
  const read = readPhone(input);
  if (read.ok || read.fault === 'extension') return read;
  const digits = DIGITS_OF_E164.exec(plainNumber(input).replaceAll(/[\s().\-\p{Pd}]/gu, ''))?.[1];
  if (digits === undefined) return read;
  return { ok: true, phone: knownPhone(`+${digits}`) };
}

/** The facts of a number that was read before, as it is stored; of one that no list holds, that it has no country. */
export function knownPhone(e164: string): PhoneFacts {
  const parsed = parsePhoneNumberFromString(e164, { extract: false });
  return parsed
    ? factsOf(parsed)
    : { e164: e164 as Phone, country: null, prefix: e164.slice(0, -4), isPremiumRate: false };
}

const factsOf = (parsed: PhoneNumber): PhoneFacts => ({
  e164: parsed.number as string as Phone,
  country: parsed.country ?? null,
  prefix: parsed.number.slice(0, -4),
  isPremiumRate: parsed.getType() === 'PREMIUM_RATE',
});

/** Without what is not seen, with full-width digits and plus as plain ones. */
const plainNumber = (input: string): string =>
  input
    .replaceAll(/\p{Cf}/gu, '')
    .replaceAll(/[\uFF0B\uFF10-\uFF19]/g, (wide) => wide.normalize('NFKC'))
    .trim();

/** The plus is what most people forget: who sees their number with it knows at once. */
function meantBy(text: string): Phone | null {
  if (!/^[1-9][\d\s().-]*$/.test(text)) return null;
  const meant = parsePhoneNumberFromString(`+${text.replaceAll(/\D/g, '')}`, { extract: false });
  return meant?.isValid() ? (meant.number as string as Phone) : null;
}

/** `+998•••••••67`: enough to recognise, too little to call. */
export function maskPhone(phone: string): string {
  return phone.length < 8
    ? '•'.repeat(phone.length)
    : `${phone.slice(0, 4)}${'•'.repeat(phone.length - 6)}${phone.slice(-2)}`;
}
