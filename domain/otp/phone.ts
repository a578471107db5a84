import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { z } from 'zod';

export interface PhoneFacts {
  readonly e164: Phone;
  /** ISO 3166-1 alpha-2, or null for numbers of no country (satellite, international networks). */
  readonly country: string | null;
  /** Digits of the number without its last four: what toll fraud shares and honest people do not. */
  readonly prefix: string;
  readonly canReceiveSms: boolean;
}

/** Types of numbers that can never show an SMS; an unknown type may. */
const silentTypes = new Set([
  'FIXED_LINE',
  'PREMIUM_RATE',
  'TOLL_FREE',
  'SHARED_COST',
  'UAN',
  'VOICEMAIL',
  'PAGER',
]);

/** E.164 (ITU-T) with the leading plus: the one form that every provider agrees on. */
export const Phone = z.string().brand<'Phone'>();
export type Phone = z.infer<typeof Phone>;

/** Reads a number in international form, spaces and dashes allowed; null when no such number can exist. */
export function parsePhone(input: string): PhoneFacts | null {
  const parsed = parsePhoneNumberFromString(input, { extract: false });
  if (!parsed?.isValid()) return null;
  return {
    e164: parsed.number as string as Phone,
    country: parsed.country ?? null,
    prefix: parsed.number.slice(0, -4),
    canReceiveSms: !silentTypes.has(parsed.getType() ?? ''),
  };
}

/** `+998•••••••67`: enough to recognise, too little to call. */
export function maskPhone(phone: string): string {
  return phone.length < 8
    ? '•'.repeat(phone.length)
    : `${phone.slice(0, 4)}${'•'.repeat(phone.length - 6)}${phone.slice(-2)}`;
}
